//! The person at the other end of a connection, asked by the protocol's two kinds of elicitation: a request from the server
//! to clients that begin with `initialize`; since the revision 2026-07-28 an answer that asks, followed by the same call
//! with the person's answer.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use rmcp::{
    Peer, RoleServer,
    model::{
        ElicitRequest, ElicitRequestParams, ElicitResult, ElicitationAction, ElicitationSchema, InputRequest,
        InputRequests, InputRequiredResult, InputResponses, RequestStateCodec, SealOptions, StringSchema,
    },
    service::{RequestContext, ServiceError},
};
use serde_json::Value;
use tokio_util::sync::CancellationToken;

use crate::{
    agent::{Person, Question, Reply},
    model::{actor::Actor, plain::plain},
};

/// How long a person may take to answer. Sessions end after five minutes without a message.
const PATIENCE: Duration = Duration::from_mins(4);
/// The name of the question in an answer that asks.
const KEY: &str = "confirmation";
/// The field of the form.
const FIELD: &str = "confirmation";
/// The sealed state. Its purpose is bound to it, and it contains nothing readable.
const SEALED: &[u8] = b"asked";
/// Characters of a client's name.
const NAME: usize = 60;

/// The client of one call.
pub(super) struct Client {
    actor: Actor,
    peer: Peer<RoleServer>,
    /// Whether its revision has `initialize`.
    is_old: bool,
    /// Whether it can show a form to a person.
    shows_forms: bool,
    responses: InputResponses,
    state: Option<String>,
    seal: Arc<RequestStateCodec>,
    /// Cancelled if the client cancels its call.
    cancellation: CancellationToken,
}

impl Client {
    pub(super) fn new(
        context: RequestContext<RoleServer>,
        responses: Option<InputResponses>,
        state: Option<String>,
        seal: Arc<RequestStateCodec>,
    ) -> Self {
        let client = context
            .client_info()
            .map(|client| format!("{} {}", plain(&client.name, NAME), plain(&client.version, NAME)));
        let elicitation = context.client_capabilities().and_then(|capabilities| capabilities.elicitation);
        Self {
            actor: Actor::Agent { client },
            is_old: context.protocol_version().is_none_or(|version| version.has_initialize()),
            // A client that names no mode means forms.
            shows_forms: elicitation.is_some_and(|modes| modes.form.is_some() || modes.url.is_none()),
            peer: context.peer,
            cancellation: context.ct,
            responses: responses.unwrap_or_default(),
            state,
            seal,
        }
    }

    /// The question as an answer that asks.
    pub(super) fn put(&self, question: &Question) -> InputRequiredResult {
        let about = SealOptions::new().associated_data(question.about.as_bytes()).ttl(PATIENCE);
        let request = InputRequest::Elicitation(ElicitRequest::new(form(question)));
        let requests = InputRequests::from([(KEY.to_owned(), request)]);
        InputRequiredResult::new(Some(requests), Some(self.seal.seal_with(SEALED, &about)))
    }

    /// The answer to the earlier question, if it was this one.
    fn said(&self, question: &Question) -> Reply {
        let answers = self.state.as_ref().zip(self.responses.get(KEY));
        let Some((state, said)) = answers else { return Reply::Asked };
        // Forged, or an answer to another question, or too old: ask again.
        if self.seal.open_with(state, question.about.as_bytes()).is_err() {
            return Reply::Asked;
        }
        serde_json::from_value::<ElicitResult>(said.clone()).map_or(Reply::Declined, reply)
    }

    async fn request(&self, question: &Question) -> Reply {
        let answered = tokio::select! {
            answered = self.peer.create_elicitation_with_timeout(form(question), Some(PATIENCE)) => answered,
            () = self.cancellation.cancelled() => return Reply::Unable("the call was cancelled".to_owned()),
        };
        match answered {
            Ok(result) => reply(result),
            Err(ServiceError::Timeout { .. }) => Reply::Unable("nobody answered in time".to_owned()),
            Err(error) => Reply::Unable(plain(&error.to_string(), 200)),
        }
    }
}

#[async_trait]
impl Person for Client {
    fn actor(&self) -> Actor {
        self.actor.clone()
    }

    fn confirmation(&self) -> String {
        "which says that a person typed it".to_owned()
    }

    fn has_left(&self) -> bool {
        self.cancellation.is_cancelled()
    }

    async fn ask(&self, question: &Question) -> Reply {
        if !self.shows_forms {
            return Reply::Unable(
                "this client cannot ask a person (it has no elicitation). A person can run `rolecall offboard`"
                    .to_owned(),
            );
        }
        if self.is_old { self.request(question).await } else { self.said(question) }
    }
}

fn form(question: &Question) -> ElicitRequestParams {
    let field = StringSchema::new()
        .title("Confirmation")
        .description("Type what the message asks for; to remove nobody, leave it empty or decline")
        .max_length(320);
    ElicitRequestParams::FormElicitationParams {
        meta: None,
        message: question.message.clone(),
        requested_schema: ElicitationSchema::builder().required_string_property(FIELD, |_| field).build_unchecked(),
    }
}

fn reply(result: ElicitResult) -> Reply {
    match (result.action, result.content.as_ref().and_then(|content| content.get(FIELD)).and_then(Value::as_str)) {
        (ElicitationAction::Accept, Some(typed)) => Reply::Typed(typed.to_owned()),
        _ => Reply::Declined,
    }
}
