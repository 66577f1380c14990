//! Rosters as HR systems export them. All people are invented.

use chrono::NaiveDate;
use proptest::{prelude::*, test_runner::Config};

use super::*;
use crate::model::roster::Meaning;

fn layout(format: Format) -> Layout {
    Layout { format, columns: BTreeMap::new(), date_format: None, current: None, encoding: None }
}

fn csv(bytes: impl AsRef<[u8]>) -> Result<Contents, ReadError> {
    read("hr", &[bytes], &layout(Format::Csv))
}

/// Each record in one line: `address name meaning start end manager`.
fn shown(contents: &Contents) -> Vec<String> {
    let date = |day: Option<NaiveDate>| day.map_or_else(|| "-".to_owned(), |day| day.to_string());
    let line = |record: &Record| {
        let Record { addresses, name, meaning, start, end, .. } = record;
        format!("{} | {name} | {meaning:?} | {} | {}", addresses.join(" "), date(*start), date(*end))
    };
    contents.records.iter().map(line).collect()
}

#[test]
fn bamboo_has_a_home_address_that_is_never_read_and_a_date_of_zeros() {
    let read = csv(
        "Employee #,\"Last Name, First Name\",Work Email,Home Email,Status,Hire Date,Termination Date,Department,Job Title,Reporting to,Salary\r\n\
         1,\"Example, Ana\",ana@example.com,ana@home.example,Active,2020-01-02,0000-00-00,Sales,Rep,\"Sample, Bo\",CANARY-91000\r\n\
         2,\"Sample, Bo\",,bo@home.example,Active,2019-03-04,0000-00-00,Sales,Head,,CANARY-92000\r\n\
         3,\"Test, Cy\",cy@example.com,,Inactive,2018-01-01,2026-09-30,Support,Agent,\"Sample, Bo\",CANARY-93000\r\n",
    )
    .unwrap();
    assert_eq!(
        shown(&read),
        [
            " | Sample, Bo | Current | 2019-03-04 | -",
            "ana@example.com | Example, Ana | Current | 2020-01-02 | -",
            "cy@example.com | Test, Cy | Left | 2018-01-01 | 2026-09-30",
        ]
    );
    assert_eq!(read.records[1].manager, "Sample, Bo", "a name stays a name");
    assert_eq!(read.warnings, ["line 3 has no address at work, so no account can be matched with this person"]);
    assert!(!format!("{read:?}").contains("CANARY") && !format!("{read:?}").contains("home.example"));
}

#[test]
fn workday_has_titles_above_and_totals_below() {
    let read = csv("Active Workers Report,,,,\n\
         Run on 2026-10-01 by HR,,,,\n\
         ,,,,\n\
         Worker,Email - Primary Work,Worker Status,Hire Date,Supervisory Organization\n\
         Ana Example,ana@example.com,Active,2020-01-02,Sales\n\
         Ana Example,ana@example.com,Active,2020-01-02,Support\n\
         Bo Sample,bo@example.com,On Leave,2020-01-02,Sales\n\
         Cy Test,cy@example.com,Terminated,2020-01-02,Sales\n\
         Total,4,,,\n")
    .unwrap();
    assert_eq!(read.records.len(), 4);
    assert_eq!(read.records.iter().filter(|one| one.meaning == Meaning::Current).count(), 3, "leave is not left");
    assert_eq!(read.records[1].department, "Support");
}

#[test]
fn personio_writes_semicolons_and_the_day_first() {
    let text = "Vorname;Nachname;E-Mail;Status;Hire date;Termination date;Last working day;Department\n\
                J\u{f6}rg;Example;joerg@example.com;active;31.12.2019;;;Vertrieb\n\
                Bo;Sample;bo@example.com;inactive;01.02.2020;31.10.2026;30.09.2026;Vertrieb\n\
                Cy;Test;cy@example.com;onboarding;01.12.2026;;;Vertrieb\n\
                Di;Probe;di@example.com;leave;01.02.2020;;;Vertrieb\n";
    let expected = [
        "bo@example.com | Bo Sample | Left | 2020-02-01 | 2026-09-30",
        "cy@example.com | Cy Test | Joining | 2026-12-01 | -",
        "di@example.com | Di Probe | Current | 2020-02-01 | -",
        "joerg@example.com | J\u{f6}rg Example | Current | 2019-12-31 | -",
    ];
    let windows: Vec<u8> = text.chars().map(|c| u8::try_from(u32::from(c)).unwrap()).collect();
    let wide =
        |bom: &[u8], bytes: fn(u16) -> [u8; 2]| [bom.to_vec(), text.encode_utf16().flat_map(bytes).collect()].concat();
    for (bytes, encoding) in [
        (text.as_bytes().to_vec(), "UTF-8"),
        ([b"\xef\xbb\xbf", text.as_bytes()].concat(), "UTF-8"),
        (windows, "Windows-1252"),
        (wide(b"\xff\xfe", u16::to_le_bytes), "UTF-16LE"),
        (wide(b"", u16::to_le_bytes), "UTF-16LE"),
        (wide(b"\xfe\xff", u16::to_be_bytes), "UTF-16BE"),
        (text.replace(';', "\t").into_bytes(), "UTF-8"),
        (text.replace('\n', "\r\n").into_bytes(), "UTF-8"),
    ] {
        let read = csv(bytes).unwrap();
        assert_eq!((shown(&read), read.encoding), (expected.map(str::to_owned).to_vec(), encoding));
    }
}

#[test]
fn adp_abbreviates_the_status_and_says_where_each_column_is_from() {
    let read = csv("ASSOCIATE ID,PAYROLL NAME,WORK CONTACT: WORK EMAIL,PERSONAL CONTACT: PERSONAL EMAIL,POSITION STATUS,HOME DEPARTMENT DESCRIPTION,JOB TITLE DESCRIPTION,REPORTS TO NAME,HIRE DATE,TERMINATION DATE\r\n\
         A1,\"Example, Ana\",ana@example.com,ana@home.example,A,Sales,Head,,1/2/2015,\r\n\
         A2,\"Sample, Bo\",bo@example.com,bo@home.example,T,Sales,Rep,\"Example, Ana\",1/22/2016,11/20/2026\r\n")
    .unwrap();
    assert_eq!(
        shown(&read),
        [
            "ana@example.com | Example, Ana | Current | 2015-01-02 | -",
            "bo@example.com | Sample, Bo | Left | 2016-01-22 | 2026-11-20",
        ]
    );
    let bo = &read.records[1];
    assert_eq!((&*bo.id, &*bo.department, &*bo.title, &*bo.manager), ("A2", "Sales", "Rep", "Example, Ana"));
    assert!(!format!("{read:?}").contains("home.example"));
}

#[test]
fn other_languages_have_their_usual_columns_too() {
    let french = csv("Matricule;Nom;Pr\u{e9}nom;Adresse mail;Statut;D\u{e9}partement;Poste;Date de sortie\n\
         1;Example;Ana;ana@example.com;Actif;Ventes;Chef;\n\
         2;Sample;Bo;bo@example.com;Sorti;Ventes;Agent;31/10/2026\n");
    let spanish = csv("Nombre,Apellidos,Correo electr\u{f3}nico,Estado,Departamento,Cargo,Fecha de baja\n\
         Ana,Example,ana@example.com,Activo,Ventas,Jefa,\n\
         Bo,Sample,bo@example.com,Baja,Ventas,Agente,31/10/2026\n");
    let german = csv("Vorname;Nachname;E-Mail;Status;Abteilung;Austritt\n\
         Ana;Example;ana@example.com;Mutterschutz;Vertrieb;\n\
         Bo;Sample;bo@example.com;Ausgetreten;Vertrieb;31.10.2026\n");
    for read in [french, spanish, german] {
        let read = read.unwrap();
        assert_eq!(
            shown(&read),
            ["ana@example.com | Ana Example | Current | - | -", "bo@example.com | Bo Sample | Left | - | 2026-10-31"]
        );
        assert_eq!(read.warnings, [""; 0]);
        assert!(read.records[0].department.starts_with("Ve"));
    }
}

#[test]
fn what_cannot_be_decoded_is_an_error_and_never_other_letters() {
    let text = "Name,Email\nJ\u{f6}rg,joerg@example.com\n";
    let mixed = [text.as_bytes(), b"J\xf6rg,joerg2@example.com\n"].concat();
    assert!(matches!(csv(mixed), Err(ReadError::Encoding { line: 3, encoding: "UTF-8", .. })));
    assert!(matches!(
        csv(b"Name,Email\nJ\x81rg,j@example.com\n"),
        Err(ReadError::Encoding { line: 2, encoding: "Windows-1252", .. })
    ));
    let named = Layout { encoding: Some("utf-8".into()), ..layout(Format::Csv) };
    assert!(matches!(
        read("hr", &[b"Name,Email\nJ\xf6rg,j@example.com\n"], &named),
        Err(ReadError::Encoding { line: 2, .. })
    ));
    assert!(matches!(csv("Name,Email\nJ\u{fffd}rg,j@example.com\n"), Err(ReadError::Lost { .. })));
    assert!(matches!(csv(b"PK\x03\x04\x14\0\x06\0"), Err(ReadError::NotText(_))));
    assert!(csv(b"\xff\xfeN\0a").is_err() && csv(b"\xff\xfe\x00\xd8").is_err());
    assert!(matches!(csv(b"Name,Email\nA\0na,ana@example.com\n"), Err(ReadError::NotText(_))));
}

#[test]
fn google_okta_and_entra_say_who_is_in_the_directory() {
    let google = csv(
        "First Name [Required],Last Name [Required],Email Address [Required],Status [READ ONLY],Last Sign In [READ ONLY],Department,Manager Email\n\
         Ana,Example,ana@example.com,Active,Never logged in,Sales,bo@example.com\n\
         Cy,Test,cy@example.com,Suspended,2026/01/01 10:00:00,Sales,\n",
    )
    .unwrap();
    assert_eq!(google.records[0].manager, "bo@example.com");
    assert_eq!(google.records.iter().map(|one| one.meaning).collect::<Vec<_>>(), [Meaning::Current, Meaning::Left]);
    let okta = csv("login,email,status,created,lastLogin,department\n\
         ana.e@example.com,ana@example.com,LOCKED_OUT,2020-01-01,2026-01-01,Sales\n\
         bo@example.com,bo@example.com,DEPROVISIONED,2020-01-01,,Sales\n\
         cy@example.com,cy@example.com,PASSWORD_EXPIRED,2020-01-01,,Sales\n\
         di@example.com,di@example.com,STAGED,2020-01-01,,Sales\n")
    .unwrap();
    assert_eq!(okta.records[0].addresses, ["ana@example.com", "ana.e@example.com"], "the login is an alias");
    let meanings: Vec<Meaning> = okta.records.iter().map(|one| one.meaning).collect();
    assert_eq!(meanings, [Meaning::Current, Meaning::Left, Meaning::Current, Meaning::Joining]);
    let entra = csv("\u{feff}displayName,userPrincipalName,mail,accountEnabled,createdDateTime,department\n\
         Ana Example,ana@example.com,,True,2020-01-01T00:00:00Z,Sales\n\
         Bo Guest,bo_partner.example#EXT#@tenant.onmicrosoft.com,,False,2020-01-01T00:00:00Z,\n")
    .unwrap();
    let addresses: Vec<&str> = entra.records.iter().map(|one| one.addresses[0].as_str()).collect();
    assert_eq!(addresses, ["ana@example.com", "bo@partner.example"]);
    assert_eq!(entra.records[1].meaning, Meaning::Left);
}

#[test]
fn configured_columns_take_precedence_and_have_to_be_there() {
    let text = "Mail (business),Mail,STATE,Contract ends\nana@example.com,ana@home.example,here,2026-09-30\nbo@example.com,,gone,\n";
    let named = |columns: &[(Field, &str)]| Layout {
        columns: columns.iter().map(|(field, name)| (*field, (*name).to_owned())).collect(),
        current: Some(vec!["Here".into()]),
        ..layout(Format::Csv)
    };
    let all = [(Field::Email, "Mail (business)"), (Field::Status, "state"), (Field::End, "contract_ends")];
    let contents = read("hr", &[text], &named(&all)).unwrap();
    assert_eq!(shown(&contents), ["ana@example.com |  | Current | - | 2026-09-30", "bo@example.com |  | Left | - | -"]);
    assert_eq!(contents.columns[&Field::End], ["Contract ends"]);
    let missing = read("hr", &[text], &named(&[(Field::Email, "Mail (business)"), (Field::Title, "Position title")]));
    let error = missing.unwrap_err().to_string();
    assert!(error.contains("`Position title` (columns.title) is not there") && error.contains("`STATE`"), "{error}");
    let twice = read("hr", &["Email,E-Mail\na@example.com,b@example.com\n"], &layout(Format::Csv));
    assert!(matches!(twice, Err(ReadError::SameName { field: "email", .. })));
    assert!(matches!(csv("Name,Status\nAna,Active\n"), Err(ReadError::NoAddresses { .. })));
}

#[test]
fn a_quoted_cell_may_have_separators_and_lines_and_an_unquoted_separator_is_an_error() {
    let read =
        csv("Name,Email,Title\n\"Ana\nExample\",ana@example.com,\"Rep; \"\"EMEA\"\", north\"\nBo,bo@example.com,Rep\n")
            .unwrap();
    assert_eq!(
        (read.records[0].name.as_str(), read.records[0].title.as_str()),
        ("Ana Example", "Rep; \"EMEA\", north")
    );
    let moved = csv("Name,Title,Email\nAna,Rep,ana@example.com\nBo,Head, EMEA,bo@example.com\n");
    assert!(matches!(moved, Err(ReadError::TooManyCells { cells: 4, header: 3, .. })), "{moved:?}");
}

#[test]
fn dates_are_never_guessed() {
    let with = |dates: &[&str], format: Option<&str>| {
        let rows: Vec<String> = dates.iter().map(|date| format!("x@example.com;\"{date}\"\n")).collect();
        let rows = rows.concat();
        let layout = Layout { date_format: format.map(str::to_owned), ..layout(Format::Csv) };
        let read = read("hr", &[format!("Email;End date\n{rows}")], &layout)?;
        Ok::<_, ReadError>(read.records.iter().filter_map(|one| one.end).map(|end| end.to_string()).collect::<Vec<_>>())
    };
    for clear in [
        "2026-03-04",
        "2026-03-04T08:00:00Z",
        "2026-03-04 08:00",
        "2026/03/04",
        "04-Mar-2026",
        "4 March 2026",
        "Mar 4, 2026",
        "20260304",
        "46085",
        "46085.5",
    ] {
        assert_eq!(with(&[clear], None), Ok(vec!["2026-03-04".to_owned()]), "{clear}");
    }
    for blank in ["", "0000-00-00", "00/00/0000", "-", "N/A", "Never"] {
        assert_eq!(with(&[blank, "2026-03-04"], None).unwrap(), ["2026-03-04"], "{blank}");
    }
    for ambiguous in ["03/04/2026", "03.04.2026", "3-4-2026"] {
        assert!(matches!(with(&[ambiguous], None), Err(ReadError::AmbiguousDate { .. })), "{ambiguous}");
        assert_eq!(with(&[ambiguous, "31/12/2026"], None).unwrap(), ["2026-04-03", "2026-12-31"], "{ambiguous}");
        assert_eq!(with(&[ambiguous, "12/31/2026"], None).unwrap(), ["2026-03-04", "2026-12-31"], "{ambiguous}");
    }
    assert_eq!(with(&["04/04/2026"], None).unwrap(), ["2026-04-04"], "both ways say the same");
    assert!(matches!(with(&["31/12/2026", "12/31/2026"], None), Err(ReadError::Date { .. })));
    for bad in ["soon", "2026-13-01", "30.02.2026", "03/04/26"] {
        assert!(matches!(with(&[bad], None), Err(ReadError::Date { .. })), "{bad}");
    }
    assert_eq!(with(&["03/04/2026"], Some("%d/%m/%Y")).unwrap(), ["2026-04-03"]);
    assert_eq!(with(&["03/04/26 08:00"], Some("%m/%d/%y")).unwrap(), ["2026-03-04"]);
    assert_eq!(with(&["2026-03-04"], Some("%d/%m/%Y")).unwrap(), ["2026-03-04"], "ISO is always read");
    assert!(matches!(with(&["31/12/2026"], Some("%m/%d/%Y")), Err(ReadError::Date { .. })));
}

#[test]
fn a_status_that_nobody_knows_is_said_and_a_blank_one_is_not_taken_for_anything() {
    let read =
        csv("Email,Status,End date\na@example.com,Furloughed,\nb@example.com,,\nc@example.com,,2026-01-31\n").unwrap();
    let meanings: Vec<Meaning> = read.records.iter().map(|one| one.meaning).collect();
    assert_eq!(meanings, [Meaning::Unknown, Meaning::Unknown, Meaning::Unsaid]);
    assert!(read.warnings.iter().any(|line| line.contains("“Furloughed” of 1 row")), "{:?}", read.warnings);
    let none = csv("Email\na@example.com\n").unwrap();
    assert_eq!(none.records[0].meaning, Meaning::Unsaid, "a list of everyone who works here");
}

#[test]
fn json_is_a_list_or_has_one_and_its_objects_may_be_nested() {
    let json = |text: &str| read("hr", &[text], &layout(Format::Json));
    let people = r#"[{"displayName":"Ana Example","work":{"email":"ana@example.com","department":"Sales"},"internal":{"status":"Employed"},"salary":"CANARY","aliases":["a@example.com","b@example.com"]}]"#;
    let named = Layout {
        columns: [(Field::Email, "work.email".to_owned()), (Field::Department, "work.department".to_owned())].into(),
        ..layout(Format::Json)
    };
    for text in [
        people.to_owned(),
        format!(r#"{{"employees":{people},"count":1}}"#),
        format!(r#"{{"data":{{"employees":{people}}}}}"#),
    ] {
        let contents = read("hr", &[text], &named).unwrap();
        let one = &contents.records[0];
        assert_eq!(one.addresses, ["ana@example.com", "a@example.com", "b@example.com"]);
        assert_eq!((one.department.as_str(), one.meaning), ("Sales", Meaning::Current));
        assert!(!format!("{contents:?}").contains("CANARY"));
    }
    assert_eq!(
        json(r#"[{"email":"a@example.com","active":true},{"email":"b@example.com","active":false}]"#).unwrap().records
            [1]
        .meaning,
        Meaning::Left
    );
    assert!(json("{").is_err() && json("{}").is_err() && json("[1]").is_err());
    assert!(json("[]").unwrap().records.is_empty() && json("").unwrap().records.is_empty());
}

#[test]
fn scim_users_have_their_work_address_and_their_manager_by_id() {
    let page = |users: &str| {
        format!(
            r#"{{"schemas":["urn:ietf:params:scim:api:messages:2.0:ListResponse"],"totalResults":2,"startIndex":1,"itemsPerPage":1,"Resources":[{users}]}}"#
        )
    };
    let ana = r#"{"id":"1","userName":"ana.login","name":{"givenName":"Ana","familyName":"Example"},"active":true,"title":"Rep",
        "emails":[{"value":"ana@home.example","type":"home","primary":true},{"value":"ana@example.com","type":"work"}],
        "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"department":"Sales","manager":{"value":"2","displayName":"Bo Sample"}}}"#;
    let bo = r#"{"id":"2","userName":"BO@example.com","displayName":"Bo Sample","active":"False"}"#;
    let contents = read("hr", &[page(ana), page(bo)], &layout(Format::Scim)).unwrap();
    assert_eq!(
        shown(&contents),
        ["BO@example.com | Bo Sample | Left | - | -", "ana@example.com | Ana Example | Current | - | -"]
    );
    assert_eq!(
        (contents.records[1].manager.as_str(), contents.records[1].department.as_str()),
        ("BO@example.com", "Sales")
    );
    assert_eq!(super::page(page(ana).as_bytes()), Ok(Page { users: 1, total: Some(2) }));
    assert_eq!(super::page(br#"{"totalResults":0}"#), Ok(Page { users: 0, total: Some(0) }));
}

const SEEDS: [&str; 4] = [
    "Title\n\nName;Email;Status;Start date;End date;Manager\n\"Ana;\nExample\";ana@example.com;Active;31.12.2020;0000-00-00;bo@example.com\nTotal;1\n",
    "[{\"email\":\"a@example.com\",\"active\":true,\"x\":{\"y\":[1,\"z\"]},\"start\":\"45000\"}]",
    "{\"totalResults\":1,\"Resources\":[{\"id\":\"1\",\"userName\":\"a@example.com\",\"active\":true,\"emails\":[{\"value\":\"a@example.com\"}]}]}",
    "\u{feff}mail,aliases,id\na_b.example#EXT#@c.example,smtp:x@example.com|mailto:y@example.com,7\n",
];

proptest! {
    #![proptest_config(Config { cases: 800, failure_persistence: None, ..Config::default() })]

    #[test]
    fn mutated_bytes_never_panic(seed in 0..4_usize, edits in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0..4_u8), 0..12), wide in any::<bool>()) {
        let mut bytes = SEEDS[seed].as_bytes().to_vec();
        if wide {
            bytes = SEEDS[seed].encode_utf16().flat_map(u16::to_le_bytes).collect();
        }
        for (place, byte, kind) in edits {
            if bytes.is_empty() {
                break;
            }
            let at = place.index(bytes.len());
            match kind {
                0 => bytes[at] = byte,
                1 => bytes.insert(at, byte),
                2 => _ = bytes.remove(at),
                _ => bytes.extend_from_within(at..),
            }
            bytes.truncate(1 << 14);
        }
        for format in [Format::Csv, Format::Json, Format::Scim] {
            if let Ok(contents) = read("hr", &[&bytes], &layout(format)) {
                prop_assert!(contents.records.iter().all(|one| one.name.chars().count() <= 650));
            }
        }
        let _ = super::page(&bytes);
    }

    #[test]
    fn any_bytes_are_harmless_and_little_of_them_is_kept(bytes in prop::collection::vec(any::<u8>(), 0..600), text in "\\PC{0,200}") {
        let header = b"Work Email,Name,Status,Hire Date\n";
        for bytes in [bytes.clone(), [&header[..], &bytes].concat(), [&header[..], text.as_bytes()].concat()] {
            for format in [Format::Csv, Format::Json, Format::Scim] {
                for encoding in [None, Some("utf-16"), Some("windows-1252")] {
                    let layout = Layout { encoding: encoding.map(str::to_owned), ..layout(format) };
                    let Ok(contents) = read("hr", &[&bytes], &layout) else { continue };
                    let kept: usize = contents.records.iter().map(|one| one.name.len() + one.status.len() + one.title.len()).sum();
                    prop_assert!(kept <= 4 * bytes.len() && contents.records.len() <= bytes.len(), "{kept}");
                }
            }
            let _ = super::page(&bytes);
        }
    }

    #[test]
    fn the_order_of_rows_does_not_matter(rows in prop::collection::vec((0..5_usize, 0..4_usize, 0..4_usize), 1..12), turn in any::<prop::sample::Index>()) {
        let row = |(who, status, date): &(usize, usize, usize)| format!("P{who} X,p{who}@example.com,{},{}", ["Active", "Terminated", "On leave", ""][*status], ["", "2026-01-31", "31/12/2026", "01/02/2026"][*date]);
        let lines: Vec<String> = rows.iter().map(row).collect();
        let mut turned = lines.clone();
        turned.rotate_left(turn.index(lines.len()));
        let text = |lines: &[String]| format!("Name,Email,Status,End date\n{}\n", lines.join("\n"));
        match (csv(text(&lines)), csv(text(&turned))) {
            (Ok(one), Ok(other)) => prop_assert_eq!(one.records, other.records),
            (one, other) => prop_assert_eq!(one.is_err(), other.is_err()),
        }
    }
}

#[test]
fn documents_that_are_deep_or_wide_end_and_need_no_deep_stack() {
    let deep = format!("{}1{}", "{\"a\":".repeat(100_000), "}".repeat(100_000));
    assert!(read("hr", &[&deep], &layout(Format::Json)).is_err());
    assert!(read("hr", &[&deep], &layout(Format::Scim)).is_err());
    assert!(super::page(deep.as_bytes()).is_err());
    let brackets = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    assert!(read("hr", &[&brackets], &layout(Format::Json)).is_err());
    let keys: Vec<String> = (0..50_000).map(|number| format!("\"k{number}\":1")).collect();
    let keys = format!("[{{\"email\":\"ana@example.com\",{}}}]", keys.join(","));
    assert_eq!(read("hr", &[&keys], &layout(Format::Json)).unwrap().records.len(), 1);
    let wide = format!("{}\nEmail,Status\nana@example.com,Active\n", ",;\t|".repeat(200_000));
    assert_eq!(csv(&wide).unwrap().records.len(), 1);
    let quotes = csv("\"".repeat(300_001));
    assert!(quotes.is_err() || quotes.is_ok_and(|read| read.records.is_empty()));
}
