//! `rolecall policy test`: the test cases of the rules of the company's own.

use std::{collections::BTreeSet, path::Path};

use serde::Serialize;

use crate::{
    cel::Program,
    cli::{
        args::{RuleFormat, TestArgs},
        check,
        output::{self, Failure},
    },
    clock::Clock,
    model::policy::{CustomRule, Policy},
    words::count,
};

/// The result of one test case.
#[derive(Serialize)]
struct Tested<'a> {
    policy: &'a str,
    rule: &'a str,
    /// Its place among the test cases of the rule, from 1.
    test: usize,
    expect: bool,
    passed: bool,
    /// What is wrong; null if it passed.
    reason: Option<String>,
}

pub(super) fn run(named: Option<&Path>, args: &TestArgs) -> Result<(), Failure> {
    let settings = check::load_with_failing_tests(named)?;
    let now = Clock::system().now();
    let mut seen: BTreeSet<String> = BTreeSet::new();
    let mut rules: Vec<(&Policy, &CustomRule)> = Vec::new();
    for policy in settings.policy_names().into_iter().filter_map(|name| settings.policy_named(name)) {
        // A policy takes the rules of [policy]: their test cases run once.
        let own = policy.custom_rules.iter().filter(|rule| seen.insert(rule.name.clone()));
        rules.extend(own.map(|rule| (&**policy, rule)));
    }
    let mut all: Vec<Tested<'_>> = Vec::new();
    for (policy, rule) in &rules {
        let program = Program::compile(&rule.when, rule.for_each);
        for (number, test) in rule.tests.iter().enumerate() {
            let result = match &program {
                Ok(program) => program.test(test, now),
                Err(mistakes) => Err(mistakes.iter().map(|one| one.message.as_str()).collect::<Vec<_>>().join("; ")),
            };
            let (passed, reason) = (result.is_ok(), result.err());
            all.push(Tested {
                policy: &policy.name,
                rule: &rule.name,
                test: number + 1,
                expect: test.expect,
                passed,
                reason,
            });
        }
    }
    match args.format {
        RuleFormat::Json => {
            let json = serde_json::to_string_pretty(&all).map_err(|error| Failure::failed(error.to_string()))?;
            output::line(&json);
        }
        RuleFormat::Table => print(&rules, &all),
    }
    match all.iter().filter(|one| !one.passed).count() {
        0 => Ok(()),
        failed => Err(Failure::failed(format!("{} failed", count(failed, "test case")))),
    }
}

fn print(rules: &[(&Policy, &CustomRule)], all: &[Tested<'_>]) {
    if rules.is_empty() {
        output::line("The policy has no rules of your own.");
    }
    for (_, rule) in rules {
        let of_rule = || all.iter().filter(|one| one.rule == rule.name);
        let passed = of_rule().filter(|one| one.passed).count();
        let words = match (rule.tests.len(), passed) {
            (0, _) => "no test cases".to_owned(),
            (all, passed) if all == passed => format!("{} passed", count(all, "test case")),
            (all, passed) => format!("{passed} of {} passed", count(all, "test case")),
        };
        output::line(&format!("{}: {words}", rule.name));
        for one in of_rule() {
            if let Some(reason) = &one.reason {
                output::line(&format!("  test {}: {reason}", one.test));
            }
        }
    }
}
