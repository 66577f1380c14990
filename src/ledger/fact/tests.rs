use super::*;

#[test]
fn what_an_older_rolecall_wrote_is_read() {
    let id = Uuid::nil();
    let time = "2026-03-02T07:00:00Z";
    let recorded = format!(
        r#"{{"fact":"recorded","run":"{id}","job":null,"workspace":"acme","fire_at":null,"read_from":"{time}","read_to":"{time}","complete":true,"users":1,"administrators":1,"open_findings":0,"bag":null,"messages":[]}}"#
    );
    let delivery = format!(
        r#"{{"fact":"delivery","run":"{id}","kind":"report","recipient":"a@example.com","message_id":"<1@example.com>","sha256":"","accepted":true,"answer":"250"}}"#
    );
    let Ok(Fact::Recorded(read)) = serde_json::from_str(&recorded) else { unreachable!("{recorded}") };
    assert_eq!((read.no_mail_reason, read.policy_changes.len()), (None, 0));
    let Ok(Fact::Delivery(read)) = serde_json::from_str(&delivery) else { unreachable!("{delivery}") };
    assert!(!read.kept);
    // And nothing is added to it.
    assert!(!serde_json::to_string(&Fact::Delivery(read)).unwrap().contains("kept"));
}
