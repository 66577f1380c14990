//! Pure: who can do what. Joins users with roles and profiles by id, draws the role hierarchy, and tells
//! what changed since the last time.

pub mod administrators;
pub mod drift;
pub mod hierarchy;
pub mod matrix;
