//! `rolecall review export` and `import`: a reviewer decides in a spreadsheet.

use std::{fs, path::Path};

use super::Desk;
use crate::{
    cli::{
        args::{SheetExportArgs, SheetImportArgs},
        output::{self, Failure, plain},
    },
    digest::sha256,
    evidence::{review::SHEET_NAMESPACE as NAMESPACE, signers::Allowed, storage::bounded},
    report::{
        guarded,
        xlsx::form::{Column, Form},
    },
    review::{
        event::Sheet,
        person::Address,
        sheet::{self, COLUMNS, DECISIONS, Imported, OPEN, PROPOSALS},
        state::Review,
        table,
    },
    run::reviews::ReviewError,
    store::reviews::{KeptSheet, SheetSignature},
    words::count,
};

/// Bytes of a file that is imported.
const LARGEST: u64 = 64 * 1024 * 1024;
/// The widths of the columns.
const WIDTHS: [u16; 17] = [7, 16, 22, 26, 34, 10, 22, 22, 14, 40, 13, 26, 14, 11, 22, 40, 9];

pub(super) async fn export(desk: &Desk, args: &SheetExportArgs) -> Result<(), Failure> {
    let review = desk.read(args.id).await?;
    let reviewer = Address::of(&args.reviewer);
    let rows = sheet::rows(&review, &reviewer);
    if rows.is_empty() {
        let reviewers: Vec<&str> = review.reviewers().into_iter().map(Address::as_str).collect();
        return Err(Failure::failed(plain(
            &format!("{reviewer} decides about nothing in this review; reviewers: {}", reviewers.join(", ")),
            2_000,
        )));
    }
    let column = |place: usize| Column {
        name: COLUMNS[place],
        width: WIDTHS[place],
        is_open: OPEN.contains(&place),
        choices: if place == OPEN[0] { &DECISIONS } else { &[] },
    };
    let mut columns: Vec<Column> = (0..COLUMNS.len()).map(column).collect();
    if rows.iter().any(|row| row.len() > COLUMNS.len()) {
        columns.push(Column { name: PROPOSALS, width: 60, is_open: false, choices: &[] });
    }
    let form = Form { title: "Review", created: desk.clock.now(), columns: &columns, rows: &rows };
    let mut content = Vec::new();
    let written = match args.out.extension().and_then(|extension| extension.to_str()) {
        Some("xlsx") => form.xlsx(&mut content),
        Some("csv") => form.csv(&mut content),
        _ => return Err(Failure::usage("--out names no kind of file; expected a name that ends with .xlsx or .csv")),
    };
    let failed = |error: std::io::Error| Failure::failed(format!("cannot write {}: {error}", args.out.display()));
    written.and_then(|()| output::save(&args.out, &content)).map_err(failed)?;
    let undecided = rows.iter().filter(|row| row[OPEN[0]].is_empty()).count();
    let text = format!("{}: {}, {undecided} not decided", args.out.display(), count(rows.len(), "account"));
    output::line(&text);
    Ok(())
}

pub(super) async fn import(desk: &Desk, args: &SheetImportArgs) -> Result<(), Failure> {
    let by = Address::of(&args.by);
    let content = read(&args.file)?;
    let signed_by = match (&args.signature, &args.allowed_signers) {
        (Some(signature), Some(signers)) => Some(signed(desk, &by, &content, signature, signers)?),
        _ => None,
    };
    let (signed_by, signature) = signed_by.unzip();
    let lines = table::lines(&content).map_err(|why| Failure::failed(format!("{}: {why}", args.file.display())))?;
    let file = sheet::File { lines: &lines, sheet: Sheet { sha256: sha256(&content), signed_by }, writing: guarded };
    let now = desk.clock.now();
    let read = |review: &_| sheet::import(review, &by, &file, now).map_err(ReviewError::Lines);
    let review = desk.read(args.id).await?;
    let decided = read(&review)?;
    let as_of = review.events();
    if !decided.events.is_empty() {
        let kept = KeptSheet { sheet: file.sheet.clone(), content: content.clone(), signature };
        desk.store.keep_sheet(args.id, &kept).await.map_err(|error| Failure::failed(error.to_string()))?;
    }
    let events = |review: &Review| {
        if review.events() == as_of { Ok(decided.events.clone()) } else { Ok(read(review)?.events) }
    };
    desk.change_read(review, &events).await?;
    for line in said(&decided, &file.sheet, &by) {
        output::line(&line);
    }
    Ok(())
}

/// What was imported, in words.
fn said(imported: &Imported, sheet: &Sheet, by: &Address) -> Vec<String> {
    let Imported { events, unchanged, empty } = imported;
    let signed = sheet.signed_by.as_ref().map(|key| format!(", signed by {key}")).unwrap_or_default();
    vec![
        format!("{} by {by} imported{signed}", count(events.len(), "decision")),
        format!("  {unchanged} decided so already, {empty} left undecided"),
    ]
}

fn read(file: &Path) -> Result<Vec<u8>, Failure> {
    let content = fs::File::open(file).and_then(|opened| bounded(opened, LARGEST));
    content.map_err(|error| Failure::usage(format!("cannot read {}: {error}", file.display())))
}

/// The fingerprint of the person's key that signed a file, and the signature.
fn signed(
    desk: &Desk,
    by: &Address,
    content: &[u8],
    signature: &Path,
    signers: &Path,
) -> Result<(String, SheetSignature), Failure> {
    let text = read(signers)?;
    let allowed = Allowed::parse_for(by.as_str(), NAMESPACE, &String::from_utf8_lossy(&text), desk.clock.now());
    if allowed.is_empty() {
        return Err(Failure::failed(format!(
            "{} allows no key to sign as {by} in the namespace {NAMESPACE} today",
            signers.display()
        )));
    }
    let pem = read(signature)?;
    let refused = |why| Failure::failed(format!("the signature {} is refused: {why}", signature.display()));
    let signer = allowed.signer(content, &pem).map_err(refused)?;
    let pem = String::from_utf8_lossy(&pem).into_owned();
    Ok((signer.fingerprint, SheetSignature { pem, signer: signer.line }))
}
