//! An audit on the terminal: its brief as lines.

use comfy_table::{ContentArrangement, Table, presets};
use textwrap::core::display_width;

use super::output::{self, plain};
use crate::{
    brief::{Action, Brief},
    model::finding::Severity,
    people::People,
    words::{count, number},
};

/// Characters of a sentence.
const SENTENCE: usize = 1_500;
/// Accounts left behind that the terminal names.
const LEFT_BEHIND: usize = 20;

/// Prints what an audit says.
pub(super) fn print(brief: &Brief) {
    output::line(&text(brief, output::width()));
}

/// Prints what the people across several workspaces say.
pub(super) fn print_across(people: &People) {
    output::line(&format!("Across the workspaces: {}", plain(&people.verdict(), SENTENCE)));
    for conflict in people.conflicts.iter().take(LEFT_BEHIND) {
        let line = format!("  {}  {}: {}", conflict.severity, people.persons[conflict.person].label, conflict.said());
        output::line(&plain(&line, SENTENCE));
    }
    for person in people.left_behind().take(LEFT_BEHIND) {
        let line = format!("  left      {}: {}", person.label, people.left_behind_in(person));
        output::line(&plain(&line, SENTENCE));
    }
}

/// What an audit says, as lines without a line break after the last. The numbers are a table if it fits into `width`.
pub(crate) fn text(brief: &Brief, width: Option<usize>) -> String {
    let mut lines = vec![format!("{}: {}. {}", brief.workspace, brief.state.word(), brief.verdict)];
    lines.extend(brief.incidents.iter().map(|incident| format!("  before    {incident}")));
    if let Some(changes) = &brief.changes {
        lines.push(format!("  compared  {}", changes.summary()));
        lines.extend(changes.lines.iter().map(|line| format!("  changed   {}", line.sentence)));
        if changes.access > changes.lines.len() {
            lines.push(format!("  changed   and {} more", number(changes.access - changes.lines.len())));
        }
    }
    lines.extend(brief.accounts.iter().map(|accounts| format!("  accounts  {accounts}")));
    let mut lines: Vec<String> = lines.iter().map(|line| plain(line, SENTENCE)).collect();
    lines.extend(numbers(brief, width));
    let usual = brief.usual_who();
    lines.extend(usual.map(|who| plain(&format!("  Who: {who}, unless a point says otherwise"), SENTENCE)));
    for actions in brief.actions.chunk_by(|a, b| a.severity == b.severity) {
        lines.extend(actions.first().map(|action| format!("  {}", action.by())));
        for action in actions {
            lines.push(plain(&action_line(action), SENTENCE));
            let other = (usual != Some(&action.who)).then(|| format!("      Who: {}", action.who));
            lines.extend(other.map(|line| plain(&line, SENTENCE)));
        }
    }
    if brief.actions.is_empty() {
        lines.push(format!("  {}", brief.nothing_to_do()));
    } else {
        let rules = count(brief.actions.len(), "rule");
        lines.push(format!(
            "  {rules} with open findings; `rolecall rules NAME` explains one, `--out DIR` writes all findings"
        ));
    }
    lines.join("\n")
}

/// The numbers: a table of one row, or a sentence where the table is too wide.
fn numbers(brief: &Brief, width: Option<usize>) -> Vec<String> {
    let counts = &brief.counts;
    let mut table = Table::new();
    table.load_style(presets::UTF8_HORIZONTAL_ONLY).set_content_arrangement(ContentArrangement::Disabled);
    let mut header = vec!["users", "active", "administrators"];
    header.extend(Severity::ALL.map(Severity::word));
    header.push("accepted");
    let severities = Severity::ALL.map(|severity| counts.severity(severity));
    let first = [counts.users, counts.active, counts.administrators];
    let row: Vec<String> = first.into_iter().chain(severities).chain([counts.accepted]).map(number).collect();
    table.set_header(&header);
    table.add_row(&row);
    table.column_iter_mut().for_each(|column| _ = column.set_padding((0, 1)));
    let lines: Vec<String> = table.lines().map(|line| line.trim_end().to_owned()).collect();
    if width.is_none_or(|width| lines.iter().all(|line| display_width(line) <= width)) {
        return lines;
    }
    let said: Vec<String> = header.iter().zip(row).map(|(what, count)| format!("{what} {count}")).collect();
    vec![format!("  numbers   {}", said.join(", "))]
}

fn action_line(action: &Action) -> String {
    let news = match action.news() {
        news if news.is_empty() => news,
        news => format!(" [{news}]"),
    };
    format!("    {}: {}{news} ({})", action.title, action.subjects, action.rule)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{access::matrix::AccessMatrix, report::testing};

    #[test]
    fn the_numbers_are_a_sentence_where_the_table_is_too_wide() {
        let audit = testing::hostile();
        let brief = Brief::of(&audit, &AccessMatrix::of(&audit));
        for width in [80, 120] {
            let lines = numbers(&brief, Some(width));
            assert!(lines.len() == 5 && lines.iter().all(|line| display_width(line) <= width), "{lines:#?}");
        }
        let [line] = numbers(&brief, Some(60)).try_into().unwrap();
        assert!(line.starts_with("  numbers   users 8, active 5, administrators "), "{line}");
        assert!(line.ends_with(", info 1, accepted 1"), "{line}");
    }
}
