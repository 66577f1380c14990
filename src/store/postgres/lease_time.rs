//! The time by which leases end, inside a statement.

/// The time of leases: that of the caller ($1), or, if that is NULL, the database's.
macro_rules! with_time {
    ($statement:literal) => {
        concat!(
            "WITH t AS MATERIALIZED (SELECT COALESCE($1, (extract(epoch FROM clock_timestamp()) * 1000)::bigint) AS now)
",
            $statement
        )
    };
}
pub(super) use with_time;
