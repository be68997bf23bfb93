//! Answers that the sandbox never gives, but QuickBooks does: played by a server that follows a script.
use super::*;
use domain::document::Unreadable;
use domain::ledger::Basis;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// Answers every request by its decoded target: status and body.
type Script = fn(&str) -> (u16, String);

async fn play(script: Script) -> Odd {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base: Url = format!("http://{}", listener.local_addr().unwrap()).parse().unwrap();
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut request = Vec::new();
            let mut part = [0u8; 4_096];
            while !request.windows(4).any(|window| window == b"\r\n\r\n") {
                match stream.read(&mut part).await.unwrap() {
                    0 => break,
                    size => request.extend_from_slice(&part[..size]),
                }
            }
            let text = String::from_utf8(request).unwrap();
            let target = text.split(' ').nth(1).unwrap_or_default();
            let decoded = url::form_urlencoded::parse(format!("q={}", target.replace('&', "%26")).as_bytes()).next().unwrap().1.into_owned();
            let (status, body) = script(&decoded);
            let answer = format!("HTTP/1.1 {status} X\r\ncontent-length: {}\r\nintuit_tid: 1-odd\r\nconnection: close\r\n\r\n{body}", body.len());
            stream.write_all(answer.as_bytes()).await.unwrap();
        }
    });
    let clock = Arc::new(ManualClock::at(now().as_millisecond()));
    Odd { provider: QuickBooks::new(settings(&base, "secret"), clock).unwrap(), calls: AtomicUsize::new(0) }
}

struct Odd {
    provider: QuickBooks,
    calls: AtomicUsize,
}

impl Odd {
    fn books(&self) -> Books<'_> {
        Books { company: SHOP, gate: self }
    }
}

#[async_trait::async_trait]
impl CallGate for Odd {
    async fn admit(&self, _endpoint: &str) -> Result<(), ProviderError> {
        let calls = self.calls.fetch_add(1, Ordering::SeqCst);
        assert!(calls < 100, "it never ends");
        Ok(())
    }
    async fn token(&self, _refused: Option<&Secret>) -> Result<Secret, ProviderError> {
        Ok(Secret::new("token"))
    }
    fn answered(&self, _call: &Call, _cost: Cost) {}
}

fn fault(code: &str) -> String {
    format!(r#"{{"Fault":{{"Error":[{{"Message":"canary-message","Detail":"canary-detail","code":"{code}"}}],"type":"ValidationFault"}}}}"#)
}

#[tokio::test]
async fn a_type_this_user_may_not_read_is_found_and_the_others_go_on() {
    let odd = play(|target| {
        if target.contains("Deposit") {
            return (403, fault("5020"));
        }
        if target.contains("VendorCredit") {
            return (400, fault("5030"));
        }
        let bill = r#"{"Bill":[{"Id":"4","TxnDate":"2025-05-01","TotalAmt":1}]}"#;
        (200, format!(r#"{{"CDCResponse":[{{"QueryResponse":[{}]}}]}}"#, if target.contains("entities=Bill&") { bill } else { "{}" }))
    })
    .await;
    let (mut ids, mut refused, mut from) = (Vec::new(), Vec::new(), None);
    loop {
        let chunk = odd.provider.changes(&odd.books(), now(), true, from.as_ref()).await.unwrap();
        ids.extend(chunk.records.into_iter().map(|record| record.id));
        refused.extend(chunk.refused);
        match chunk.next {
            Next::More(checkpoint) => from = Some(checkpoint),
            Next::UpToDate => break,
        }
    }
    assert_eq!(ids, ["4"]);
    assert_eq!(refused.iter().map(|(data_type, _)| *data_type).collect::<Vec<_>>(), [DataType::Deposit]);
    assert_eq!(odd.calls.load(Ordering::SeqCst), 17);
}

#[tokio::test]
async fn an_edition_without_a_type_has_no_records_of_it() {
    let odd = play(|_| (400, fault("5030"))).await;
    let chunk = odd.provider.fetch(&odd.books(), DataType::Bill, None).await.unwrap();
    assert_eq!((chunk.records.len(), chunk.next), (0, Next::UpToDate));
    assert_eq!(odd.provider.count(&odd.books(), DataType::Bill).await.unwrap(), None);
    assert_eq!(odd.provider.existing(&odd.books(), DataType::Bill, &["1".into()]).await.unwrap(), None);
}

#[tokio::test]
async fn a_server_that_gives_the_same_page_for_ever_is_caught() {
    let odd = play(|_| {
        let rows: Vec<String> = (1..=1_000).map(|id| format!(r#"{{"Id":"{id}"}}"#)).collect();
        (200, format!(r#"{{"QueryResponse":{{"Bill":[{}]}}}}"#, rows.join(",")))
    })
    .await;
    let first = odd.provider.fetch(&odd.books(), DataType::Bill, None).await.unwrap();
    let Next::More(checkpoint) = first.next else { panic!("there is more") };
    let error = odd.provider.fetch(&odd.books(), DataType::Bill, Some(&checkpoint)).await.unwrap_err();
    assert!(matches!(&error, ProviderError::UnexpectedAnswer { detail, .. } if detail.contains("same records")), "{error:?}");
}

// proves C27 in part
#[tokio::test]
async fn one_bad_record_does_not_hide_the_others() {
    let odd = play(|_| (200, r#"{"QueryResponse":{"Bill":[{"Id":"1","TxnDate":"2025-05-01","TotalAmt":1.00001},{"TotalAmt":5},{"Id":"3","TxnDate":"2025-05-01","TotalAmt":7.10}]}}"#.into())).await;
    let chunk = odd.provider.fetch(&odd.books(), DataType::Bill, None).await.unwrap();
    assert_eq!(chunk.unreadable, [Unreadable { data_type: DataType::Bill, id: String::new(), reason: "Id is missing".into() }]);
    let read: Vec<_> = chunk.records.iter().map(|record| odd.provider.normalize(record).map(|document| document.total)).collect();
    assert_eq!(read[0].as_ref().unwrap_err().reason, "TotalAmt has more than 4 decimals");
    assert_eq!(read[1], Ok(Some(domain::money::Amount(71_000))));
}

#[tokio::test]
async fn a_ledger_without_home_columns_is_asked_for_again() {
    let odd = play(|target| {
        if target.contains("debt_home_amt") {
            return (400, fault("2020"));
        }
        let columns = target.split_once("columns=").unwrap().1.split('&').next().unwrap();
        let columns: Vec<String> = columns.split(',').map(|key| format!(r#"{{"ColType":"{key}","ColTitle":""}}"#)).collect();
        (200, format!(r#"{{"Columns":{{"Column":[{}]}},"Rows":{{}}}}"#, columns.join(",")))
    })
    .await;
    let piece = odd.provider.ledger_window(&odd.books(), Basis::Accrual, date(2025, 5, 1), date(2025, 5, 31)).await.unwrap();
    assert!(piece.entries.is_empty());
    assert_eq!(odd.calls.load(Ordering::SeqCst), 2);
}

// proves D13 in part
#[tokio::test]
async fn what_a_fault_says_never_reaches_an_error() {
    for (status, code) in [(200, "6000"), (400, "4001"), (401, "3200"), (403, "5020"), (400, "610"), (429, "3001"), (400, "500")] {
        let odd = play(match (status, code) {
            (200, _) => |_| (200, fault("6000")),
            (_, "4001") => |_| (400, fault("4001")),
            (_, "3200") => |_| (401, fault("3200")),
            (_, "5020") => |_| (403, fault("5020")),
            (_, "610") => |_| (400, fault("610")),
            (_, "3001") => |_| (429, fault("3001")),
            _ => |_| (400, fault("500")),
        })
        .await;
        let error = odd.provider.fetch(&odd.books(), DataType::Bill, None).await.unwrap_err();
        let told = format!("{error} {error:?} {:?}", error.problem());
        assert!(!told.contains("canary") && told.contains("1-odd"), "{told}");
    }
}
