//! Rules of the company's own, as rules like any other.

mod document;
mod subject;

use std::sync::Arc;

use rayon::{iter::ParallelIterator as _, slice::ParallelSlice as _};

use self::subject::{Place, Subjects};
use super::{
    context::Context, input::JudgeInput, not_evaluated::NotEvaluated, roster::Employment, rule::Rule, sink::Sink,
};
use crate::{
    cel::{LONGEST_LIST, MOST_STEPS, Message, Program, Root, View as _},
    model::{
        finding::Subject,
        policy::{CustomRule, ForEach},
        rule::{RuleInfo, RuleList},
        rule_name::RuleName,
    },
    words::count,
};

/// How many subjects one thread judges before it takes others.
const AT_ONCE: usize = 1_024;
/// How many subjects are evaluated before what was said of them is reported.
const IN_MEMORY: usize = 16 * AT_ONCE;

const TOO_LARGE: &str = "it would need too many steps for a workspace of this size";

/// A custom rule, and whether it looks at the previous audit's users.
pub(super) fn rule(custom: &CustomRule) -> (Rule, bool) {
    let info = RuleInfo {
        name: RuleName::from(custom.name.as_str()),
        title: custom.title.clone().into(),
        severity: custom.severity,
        criteria: custom.criteria.iter().map(|criterion| criterion.clone().into()).collect(),
        doc: document::of(custom).into(),
    };
    let compiled = Compiled::of(custom);
    let reads_previous = compiled.as_ref().is_ok_and(|compiled| compiled.names(Root::Previous));
    let evaluate = move |context: &Context<'_>, sink: &mut Sink<'_>| match &compiled {
        Ok(compiled) => compiled.judge(context, sink),
        // The configuration refuses it; the policy of an earlier audit may have it.
        Err(reason) => Err(NotEvaluated::because(reason.clone())),
    };
    let judges_population = custom.for_each == ForEach::User || custom.when.contains(".users");
    (Rule { info: Arc::new(info), judges_population, evaluate: Box::new(evaluate) }, reads_previous)
}

struct Compiled {
    for_each: ForEach,
    program: Program,
    message: Message,
}

/// What a rule says of one subject, or why it says nothing.
type Said = Result<(Subject, String), String>;

impl Compiled {
    fn of(custom: &CustomRule) -> Result<Self, String> {
        let compiled = Program::compile(&custom.when, custom.for_each)
            .and_then(|program| Ok((program, Message::compile(&custom.message, custom.for_each)?)));
        match compiled {
            Ok((program, message)) => Ok(Self { for_each: custom.for_each, program, message }),
            Err(mistakes) => {
                let reasons: Vec<String> = mistakes.into_iter().map(|mistake| mistake.message).collect();
                Err(format!("this version of rolecall does not accept the rule: {}", reasons.join("; ")))
            }
        }
    }

    fn names(&self, root: Root) -> bool {
        self.program.keys().iter().copied().chain(self.message.keys()).any(|key| key.root() == root)
    }

    fn judge(&self, context: &Context<'_>, sink: &mut Sink<'_>) -> Result<(), NotEvaluated> {
        let facts = context.facts();
        let places = subject::places(context, self.for_each);
        let longest = facts.longest_list();
        if self.program.steps(longest.min(LONGEST_LIST)).saturating_mul(places.len() as u64) > MOST_STEPS {
            return Err(NotEvaluated::because(TOO_LARGE));
        }
        let (mut failed, mut first) = (0_usize, None);
        for places in places.chunks(IN_MEMORY) {
            let chunks: Vec<Vec<Said>> =
                places.par_chunks(AT_ONCE).map(|places| self.said(&Subjects::new(context, facts), places)).collect();
            for said in chunks.into_iter().flatten() {
                match said {
                    Ok((subject, message)) => sink.report(subject, message),
                    Err(reason) => {
                        failed += 1;
                        first.get_or_insert(reason);
                    }
                }
            }
        }
        if let Some(first) = first {
            let subjects = count(failed, self.for_each.word());
            sink.not_evaluated(format!("it could not be evaluated for {subjects} (first: {first})"));
        }
        Ok(())
    }

    /// What it says of some subjects: nothing of those for which the condition is false.
    fn said(&self, subjects: &Subjects<'_, '_>, places: &[Place]) -> Vec<Said> {
        self.program.over(subjects, |session| {
            let of = |place: &Place| {
                subjects.show(*place);
                match session.evaluate() {
                    Ok(false) => None,
                    Ok(true) => Some(Ok((subjects.subject(), self.message.about(subjects)))),
                    Err(failure) => Some(Err(format!("{}: {failure}", subjects.label()))),
                }
            };
            places.iter().filter_map(of).collect()
        })
    }
}

/// What a rule says of the subjects of an audit, one by one, with the values that its condition names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tried {
    /// The subject.
    pub subject: Subject,
    /// The sentence about it; why the condition could not be evaluated.
    pub result: Result<String, String>,
    /// The values that the condition names.
    pub values: Vec<(String, String)>,
}

/// What a custom rule says of every subject for which its condition is true or cannot be evaluated.
///
/// # Errors
/// Why the rule is not accepted.
pub fn try_custom_rule(custom: &CustomRule, input: &JudgeInput<'_>) -> Result<Vec<Tried>, String> {
    let compiled = Compiled::of(custom)?;
    let rules = RuleList::default();
    let (employment, _) = Employment::of(input);
    let context = Context::new(input, &rules, employment);
    let subjects = Subjects::new(&context, context.facts());
    let places = subject::places(&context, custom.for_each);
    let steps = compiled.program.steps(context.facts().longest_list().min(LONGEST_LIST));
    if steps.saturating_mul(places.len() as u64) > MOST_STEPS {
        return Err(TOO_LARGE.to_owned());
    }
    Ok(compiled.program.over(&subjects, |session| {
        let of = |place: &Place| {
            subjects.show(*place);
            let result = match session.evaluate() {
                Ok(false) => return None,
                Ok(true) => Ok(compiled.message.about(&subjects)),
                Err(failure) => Err(failure.to_string()),
            };
            let value = |key: &crate::cel::Key| (key.path(), subjects.value(*key).shown());
            let values = compiled.program.keys().iter().map(value).collect();
            Some(Tried { subject: subjects.subject(), result, values })
        };
        places.iter().filter_map(of).collect()
    }))
}
