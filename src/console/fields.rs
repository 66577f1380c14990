//! The values of a form or of a query, as they were sent.

/// Values by their names. A name may come several times.
#[derive(Debug, Clone, Default)]
pub(in crate::console) struct Fields(pub(in crate::console) Vec<(String, String)>);

impl Fields {
    /// The first value of a name, trimmed. Empty if there is none.
    pub(in crate::console) fn get(&self, name: &str) -> &str {
        let found = self.0.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.trim()).unwrap_or_default()
    }

    /// The values of a name, trimmed.
    pub(in crate::console) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(known, _)| known == name).map(|(_, value)| value.trim())
    }

    /// A value as a number. 0 if it is not one.
    pub(in crate::console) fn number(&self, name: &str) -> u32 {
        self.get(name).parse().unwrap_or(0)
    }

    /// The number of a page, from 1.
    pub(in crate::console) fn page(&self) -> usize {
        usize::try_from(self.number("page")).unwrap_or(1).max(1)
    }
}
