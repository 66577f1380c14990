//! Pure: who can do what. Joins users with roles and profiles by id, decides how much power that is, builds the role
//! hierarchy, and compares an audit with the previous one.

pub mod accounts;
pub mod administrators;
pub mod drift;
pub mod hierarchy;
pub mod matrix;
pub mod outliers;
pub mod policy_drift;
pub mod power;
pub mod rebuilt;
pub mod reduction;
pub mod roster;
pub mod separation;
