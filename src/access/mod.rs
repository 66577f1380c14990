//! Pure: who can do what. Joins users with roles and profiles by id, builds the role hierarchy, and compares an audit
//! with the previous one.

pub mod administrators;
pub mod drift;
pub mod hierarchy;
pub mod matrix;
