//! The schedule, and people, beside a run that is writing. On PostgreSQL only: SQLite has one writer, and who waits for it holds nothing.
use crate::house::{House, books, now};
use domain::sync::{Extent, RunState};
use simulator::books::Face;
use std::time::Duration;
use store::{args, runs};
use testkit::postgres;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_schedule_waits_for_no_run_and_keeps_no_run_waiting() {
    let database = postgres().create_database();
    let house = House::build(&database, vec![books(Face::QuickBooks, 95, 2, 3)]).await;
    let company = house.connect("quickbooks").await.remove(0);
    let now_ms = now().as_millisecond();
    let mut tx = house.engine.store.begin().await.unwrap();
    let run = runs::claim(&mut tx, "a node", now_ms, 60_000, 1).await.unwrap().remove(0);
    tx.execute("UPDATE companies SET next_due_at = 1 WHERE id = $1", args![&company.id]).await.unwrap();
    tx.commit().await.unwrap();

    // the run holds its own row and comes to its company's only later
    let mut writing = house.engine.store.begin_under(&run.lease()).await.unwrap();
    let tick = engine::schedule::tick(&house.engine);
    let queued = tokio::time::timeout(Duration::from_secs(10), tick).await.expect("the schedule waits for the run").unwrap();
    assert_eq!(queued, 0, "a run is enough");
    let reach = writing.execute("UPDATE companies SET mark = mark WHERE id = $1", args![&company.id]);
    assert_eq!(tokio::time::timeout(Duration::from_secs(10), reach).await.expect("the run waits for the schedule").unwrap(), 1);
    writing.commit().await.unwrap();
    let company = house.company(&company.id).await;
    assert!(company.next_due_at > Some(now_ms), "its next time is moved on");
    let listed = runs::list_by_company(&mut house.engine.store.read().await.unwrap(), &company.id, 10).await.unwrap();
    assert_eq!(listed.iter().map(|run| run.state).collect::<Vec<_>>(), [RunState::Running]);

    // whoever unlinks it waits for what the run is writing, and holds nothing that the run wants
    let mut writing = house.engine.store.begin_under(&run.lease()).await.unwrap();
    let (engine, organization_id, id) = (house.engine.clone(), house.organization_id.clone(), company.id.clone());
    let unlinking = tokio::spawn(async move { engine::connections::unlink(&engine, &organization_id, &id).await });
    tokio::time::sleep(Duration::from_millis(300)).await;
    let reach = writing.execute("UPDATE companies SET mark = mark WHERE id = $1", args![&company.id]);
    assert_eq!(tokio::time::timeout(Duration::from_secs(10), reach).await.expect("the run waits for whoever unlinks").unwrap(), 1);
    writing.commit().await.unwrap();
    unlinking.await.unwrap().unwrap();
    let company = house.company(&company.id).await;
    assert!(company.linked_at.is_none() && company.run.is_some_and(|run| run.cancel_requested_at.is_some()));
    drop(house);
    postgres().drop_database(&database);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_that_is_ended_by_the_database_for_somebody_who_was_first_goes_on_at_once() {
    let database = postgres().create_database();
    // PostgreSQL looks for a deadlock once in each wait, so long after it began: the run's look must come when both wait, and somebody's not at all
    let name = database.rsplit('/').next().unwrap();
    postgres().run("postgres", &format!("ALTER DATABASE {name} SET deadlock_timeout = '5s'"));
    let house = House::build(&database, vec![books(Face::QuickBooks, 96, 2, 3)]).await;
    let worker = house.work();
    let company = house.synced("quickbooks").await;
    house.hold(&company.id, 0, 1_500).await;
    let run_id = house.request(&company.id, Some(Extent::Changes)).await;
    assert!(house.until_faults_are_met(&run_id).await);
    // somebody holds the company's row when the run comes to it, and then wants the run's row, which the run holds
    let mut somebody = house.engine.store.begin().await.unwrap();
    somebody.execute("SET LOCAL deadlock_timeout = '5min'", vec![]).await.unwrap();
    somebody.execute("UPDATE companies SET mark = mark WHERE id = $1", args![&company.id]).await.unwrap();
    let waiting = "SELECT COUNT(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
    let looked_until = std::time::Instant::now() + Duration::from_secs(60);
    while house.engine.store.read().await.unwrap().query_one(waiting, vec![]).await.unwrap().int(0).unwrap() == 0 {
        assert!(std::time::Instant::now() < looked_until, "the run does not come to its company's row");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let reach = somebody.execute("UPDATE runs SET step = step WHERE id = $1", args![&run_id]).await;
    assert_eq!(reach.expect("the run waited first, so it is the one that is ended"), 1);
    drop(somebody);
    let run = house.wait_run(&run_id).await;
    house.assert_succeeded(&run).await;
    assert_eq!(run.attempt, 2, "it was ended once");
    let told = house.messages(&run).await;
    assert!(!told.iter().any(|message| message.contains("Something failed") || message.contains("the next is at")), "{told:#?}");
    worker.stop().await;
    drop(house);
    postgres().drop_database(&database);
}
