//! Pure: from the bytes of a roster, as HR systems export it, to who works for the company.
//!
//! `text` decodes, `delimited`, `json` and `scim` find the rows, `columns` knows the usual names, `dates` and `words` read
//! values, and `rows` makes records of them. Only the cells of mapped columns go into a record; everything else of a row is
//! dropped while it is read.

mod columns;
mod dates;
mod delimited;
mod error;
mod json;
mod rows;
mod scim;
#[cfg(test)]
mod tests;
mod text;
mod words;

use std::collections::BTreeMap;

pub use self::{
    error::ReadError,
    scim::{Page, page},
};
use crate::model::roster::{Field, Format, Layout, Record};

/// What was read of a roster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contents {
    /// One record for each row about a person, in an order that does not depend on that of the rows.
    pub records: Vec<Record>,
    /// The columns that were kept, by field, as the source names them.
    pub columns: BTreeMap<Field, Vec<String>>,
    /// The encoding of the text.
    pub encoding: &'static str,
    /// What its owner should look at, with places.
    pub warnings: Vec<String>,
}

/// Reads a roster. It has one part, or several pages of SCIM.
///
/// # Errors
/// [`ReadError`], which says where.
pub fn read(name: &str, parts: &[impl AsRef<[u8]>], layout: &Layout) -> Result<Contents, ReadError> {
    let mut rows = rows::Rows::new(name, layout);
    let mut encoding = "UTF-8";
    for part in parts {
        let text = text::decode(part.as_ref(), layout.encoding.as_deref())?;
        encoding = text.encoding;
        match layout.format {
            Format::Csv => delimited::read(&text.text, layout, &mut rows)?,
            Format::Json => json::read(&text.text, layout, &mut rows)?,
            Format::Scim => scim::read(&text.text, &mut rows)?,
        }
    }
    rows.finish(encoding)
}
