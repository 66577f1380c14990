//! Two rights that one person must not hold together.

use std::collections::{BTreeMap, HashMap};

use super::prelude::*;
use crate::access::separation::{Access, Held, Sides};

pub(in crate::audit) const RULE: BuiltIn = BuiltIn {
    name: "conflicting-access",
    title: "Rights that must be separate",
    severity: Severity::High,
    criteria: &["CC6.3"],
    doc: include_str!("conflicting-access.md"),
    judges_population: true,
    evaluate,
};

fn evaluate(context: &Context<'_>, sink: &mut Sink<'_>) -> Result<(), NotEvaluated> {
    let mut separations: Vec<Sides<'_>> = context.policy().separations.iter().map(Sides::new).collect();
    separations.sort_by_key(|sides| sides.separation);
    let mut unknown: BTreeMap<String, usize> = BTreeMap::new();
    for sides in &separations {
        // Few distinct roles and profiles are held by many.
        let mut known: HashMap<_, Held> = HashMap::new();
        for row in context.present().filter(|row| row.user.status().is_active()) {
            let place = (row.user.profile_place(), row.user.role_place());
            match known.entry(place).or_insert_with(|| sides.held(&[Access::from(row)])) {
                Held::Apart => {}
                Held::NotKnown(why) => *unknown.entry(why.clone()).or_default() += 1,
                Held::Together { first, second } => {
                    let words =
                        |side: &[(usize, String)]| side.first().map_or_else(String::new, |(_, what)| what.clone());
                    let message = format!(
                        "{}: this user holds {}, and {}; one person must not hold both, so take one of them away.",
                        sides.separation.name,
                        words(first),
                        words(second)
                    );
                    let severity = sides.separation.severity.unwrap_or(RULE.severity);
                    sink.report_as(severity, Subject::User(row.user.index()), message);
                }
            }
        }
    }
    for (why, users) in unknown {
        sink.not_evaluated(format!("{} of {}", why, text::count(users, "active user", "active users")));
    }
    Ok(())
}
