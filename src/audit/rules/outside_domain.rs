//! The company cannot switch off an address that it does not manage.

use super::prelude::*;
use crate::model::email;

pub(in crate::audit) const RULE: BuiltIn = BuiltIn {
    name: "outside-domain",
    title: "User outside the company's domains",
    severity: Severity::Medium,
    criteria: &["CC6.2"],
    doc: include_str!("outside-domain.md"),
    judges_population: true,
    evaluate,
};

fn evaluate(context: &Context<'_>, sink: &mut Sink<'_>) -> Result<(), NotEvaluated> {
    let company = &context.policy().company_domains;
    if company.is_empty() {
        return Err(NotEvaluated::because("the policy lists no company domains (company_domains)"));
    }
    let mut without_address = 0;
    for row in context.present().filter(|row| context.is_person(row.user.index())) {
        let Some((_, part)) = row.user.email().and_then(|address| address.trim().rsplit_once('@')) else {
            without_address += 1;
            continue;
        };
        let domain = email::comparable_domain(part);
        if !company.iter().any(|parent| email::within(&domain, parent)) {
            let message = format!(
                "The domain {domain} is not one of the company's domains; confirm that this person needs access."
            );
            sink.report(Subject::User(row.user.index()), message);
        }
    }
    if without_address > 0 {
        let users = text::count(without_address, "user has", "users have");
        sink.not_evaluated(format!("{users} no e-mail address"));
    }
    Ok(())
}
