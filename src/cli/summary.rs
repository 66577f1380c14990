//! An audit on the terminal: the verdict, what changed, what is open.

use comfy_table::{ContentArrangement, Table, presets};

use super::output::{self, plain};
use crate::{
    access::matrix::AccessMatrix,
    model::{audit::Audit, finding::Severity},
    report::summary::{Headline, headline},
};

/// Findings that the terminal names.
const FINDINGS_NAMED: usize = 12;
/// Characters of a name.
const NAME: usize = 100;
/// Characters of a sentence.
const SENTENCE: usize = 700;

/// Prints the audit.
pub(super) fn print(audit: &Audit, matrix: &AccessMatrix<'_>) {
    let headline = headline(audit, matrix);
    output::line(&format!("{}: {}", audit.workspace, plain(&headline.verdict, SENTENCE)));
    for change in &headline.changes {
        output::line(&format!("  changed   {}", plain(change, SENTENCE)));
    }
    let counts = Severity::ALL.map(|severity| headline.counts.severity(severity));
    let mut table = Table::new();
    table.load_style(presets::UTF8_HORIZONTAL_ONLY).set_content_arrangement(ContentArrangement::Dynamic);
    let mut header = vec!["users", "active", "administrators"];
    header.extend(Severity::ALL.map(Severity::word));
    header.push("excepted");
    table.set_header(header);
    let Headline { counts: of, .. } = &headline;
    let mut row: Vec<String> = [of.users, of.active, of.administrators].map(|count| count.to_string()).to_vec();
    row.extend(counts.map(|count| count.to_string()));
    row.push(of.excepted.to_string());
    table.add_row(row);
    output::line(&table.to_string());
    let grave: Vec<_> = audit.open_findings().filter(|finding| finding.severity >= Severity::Medium).collect();
    for finding in grave.iter().take(FINDINGS_NAMED) {
        let (label, _) = audit.subject_label(&finding.subject);
        let line = format!(
            "  {:<8}  {}: {} ({})",
            finding.severity,
            plain(&label, NAME),
            plain(&finding.message, SENTENCE),
            finding.rule
        );
        output::line(&line);
    }
    if grave.len() > FINDINGS_NAMED {
        output::line(&format!("  … and {} more of medium severity or graver", grave.len() - FINDINGS_NAMED));
    }
}
