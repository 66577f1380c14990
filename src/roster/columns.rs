//! Which column is which. The usual names of common exports stand for the columns that the configuration does not name.

use std::collections::{BTreeMap, BTreeSet};

use super::ReadError;
use crate::model::roster::{Field, Layout};

/// Columns that an error lists.
const LISTED: usize = 30;

/// The usual names of columns, in the order of preference, as [`plain`] has them: exports of `BambooHR`, Workday, `HiBob`,
/// Personio, Rippling, ADP, Gusto, Paylocity, Okta, Entra and Google, and German, French and Spanish ones. Never an address
/// at home.
fn usual(field: Field) -> impl Iterator<Item = &'static str> {
    let names = match field {
        Field::Email => {
            "workemail emailprimarywork primaryworkemail workcontactworkemail workemailaddress emailaddresswork \
             emailwork businessemail businessemailaddress companyemail companyemailaddress primaryemail emailprimary \
             dienstlicheemail emailprofessionnel emailcorporativo emailaddress emailadresse email mail \
             adressemail courriel correoelectrónico correoelectronico userprincipalname login username"
        }
        Field::Aliases => {
            "aliases alias emailaliases otheremails otheremail alternateemail alternateemails proxyaddresses \
             userprincipalname login username"
        }
        Field::Id => {
            "employee# employeenumber employeeid associateid workerid personnelnumber personalnummer matricule externalid \
             objectid userid id"
        }
        Field::Name => {
            "name fullname displayname employeename workername payrollname lastnamefirstname legalname preferredname \
             worker employee"
        }
        Field::First => "firstname preferredfirstname givenname legalfirstname vorname prénom prenom nombre",
        Field::Last => "lastname surname familyname legallastname nachname nom apellidos apellido",
        Field::Status => {
            "status workerstatus lifecyclestatus internalstatus activestatus employmentstatus employeestatus \
             positionstatus accountstatus accountenabled userstatus statut estado active enabled"
        }
        Field::Department => {
            "department departmentname homedepartment homedepartmentdescription abteilung département departement departamento \
             costcenter supervisoryorganization division team orgunitpath"
        }
        Field::Title => {
            "jobtitle title businesstitle positiontitle jobtitledescription position jobprofile employeetitle \
             stellenbezeichnung poste cargo puesto"
        }
        Field::Manager => {
            "manageremail managersemail manageremailaddress supervisoremail reportstoemail reportstoworkemail manager \
             reportsto reportingto reportstoname supervisor supervisorname linemanager managername managerid \
             supervisoreid vorgesetzter responsable"
        }
        Field::Start => {
            "hiredate startdate dateofhire employmentstartdate originalhiredate employeehiredate joindate \
             eintrittsdatum eintritt dateentrée datedentrée fechadealta start"
        }
        Field::End => {
            "lastworkingday lastdayofwork lastday terminationdate enddate employmentenddate leavedate \
             exitdate dateoftermination employeeleavedatetime austrittsdatum austritt datesortie datedesortie \
             fechadebaja end"
        }
    };
    names.split(' ')
}

/// Fields that may be in several columns: all aliases, and the last working day before the end of the contract.
const SEVERAL: [Field; 2] = [Field::Aliases, Field::End];

/// A name without case, blanks, signs, and what stands in brackets: `Email Address [Required]` is `emailaddress`.
pub(super) fn plain(name: &str) -> String {
    let mut depth = 0_u32;
    let mut plain = String::with_capacity(name.len());
    for c in name.chars() {
        match c {
            '[' | '(' => depth += 1,
            ']' | ')' => depth = depth.saturating_sub(1),
            _ if depth == 0 && (c.is_alphanumeric() || c == '#') => plain.extend(c.to_lowercase()),
            _ => {}
        }
    }
    // A name that is all brackets is kept.
    if plain.is_empty() { name.trim().to_lowercase() } else { plain }
}

/// The columns of a header by field.
#[derive(Debug, Clone, Default)]
pub(super) struct Mapping {
    /// The places of the columns, the preferred one first.
    pub(super) places: BTreeMap<Field, Vec<usize>>,
}

impl Mapping {
    /// How many fields a row would name if it were the header.
    pub(super) fn score(header: &[&str], layout: &Layout) -> usize {
        let plain: Vec<String> = header.iter().map(|name| plain(name)).collect();
        let has = |name: &str| plain.iter().any(|column| column == name);
        let is_named = |field: &Field| match layout.columns.get(field) {
            Some(name) => has(&self::plain(name)),
            None => usual(*field).any(has),
        };
        Field::ALL.iter().filter(|field| is_named(field)).count()
    }

    /// The columns of a header. Every column that the configuration names has to be there, and one with addresses.
    pub(super) fn of(header: &[&str], layout: &Layout) -> Result<Self, ReadError> {
        let names: Vec<String> = header.iter().map(|name| plain(name)).collect();
        let mut mapping = Self::default();
        let mut taken: BTreeSet<usize> = BTreeSet::new();
        for (field, column) in &layout.columns {
            let place = named(*field, column, header, &names)?;
            taken.insert(place);
            mapping.places.insert(*field, vec![place]);
        }
        for field in Field::ALL {
            if mapping.places.contains_key(&field) {
                continue;
            }
            let mut places = Vec::new();
            for name in usual(field) {
                let mut same = (0..names.len()).filter(|place| names[*place] == name && !taken.contains(place));
                let Some(place) = same.next() else { continue };
                if same.next().is_some() {
                    return Err(ReadError::SameName { field: field.word(), column: header[place].trim().to_owned() });
                }
                places.push(place);
                if !SEVERAL.contains(&field) {
                    break;
                }
            }
            if !places.is_empty() {
                taken.extend(&places);
                mapping.places.insert(field, places);
            }
        }
        if mapping.places.contains_key(&Field::Email) {
            return Ok(mapping);
        }
        Err(ReadError::NoAddresses { known: known(header) })
    }

    /// The columns as the source names them.
    pub(super) fn names(&self, header: &[&str]) -> BTreeMap<Field, Vec<String>> {
        let name = |place: &usize| header.get(*place).map_or_else(String::new, |name| name.trim().to_owned());
        self.places.iter().map(|(field, places)| (*field, places.iter().map(name).collect())).collect()
    }
}

/// The place of a column that the configuration names: as it is written there, else as it is alike.
fn named(field: Field, column: &str, header: &[&str], names: &[String]) -> Result<usize, ReadError> {
    let exact: Vec<usize> = (0..header.len()).filter(|place| header[*place].trim() == column.trim()).collect();
    let wanted = plain(column);
    let alike = || (0..names.len()).filter(|place| names[*place] == wanted).collect::<Vec<_>>();
    let found = if exact.is_empty() { alike() } else { exact };
    match found[..] {
        [place] => Ok(place),
        [] => Err(ReadError::NoColumn { field: field.word(), column: column.to_owned(), known: known(header) }),
        _ => Err(ReadError::SameName { field: field.word(), column: column.to_owned() }),
    }
}

/// The names of columns, for an error.
fn known(header: &[&str]) -> String {
    let names: Vec<String> = header.iter().map(|name| name.trim()).filter(|name| !name.is_empty()).map(short).collect();
    match names.len() {
        0 => "not there at all".to_owned(),
        all if all > LISTED => format!("{} and {} more", names[..LISTED].join(", "), all - LISTED),
        _ => names.join(", "),
    }
}

fn short(name: &str) -> String {
    format!("`{}`", name.chars().filter(|c| !c.is_control()).take(60).collect::<String>())
}
