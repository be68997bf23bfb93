//! Pages of a log with ten million entries of a hundred companies, as the server answers them: at every depth, under every combination of filters, and
//! to many readers at once.
use crate::Plan;
use crate::installation::Installation;
use crate::log_fill::{self, DISTINCT_COMPANIES};
use crate::measured::{Measured, millis};
use crate::readers;
use crate::table::{self, grouped, verdict};
use std::time::Duration;
use testkit::DatabaseKind;

const UNFILTERED_WITHIN: Duration = Duration::from_millis(40);
const FILTERED_WITHIN: Duration = Duration::from_millis(200);
const REQUESTS_PER_SECOND: u64 = 300;
const READERS: usize = 8;
const READ_FOR: Duration = Duration::from_secs(15);

/// What each filter is set to: something common, and something rare or that no entry has.
const FILTERS: [[&str; 2]; 7] = [
    ["software=xero", "software=quickbooks"],
    ["company=company", "company=Company%2099"],
    ["account=acme", "account=books3"],
    ["type=event", "type=milestone"],
    ["message=synced", "message=tie%20out"],
    ["status=success", "status=error"],
    ["date=MIDDLE", "date=OLD"],
];

pub fn measure(plan: &Plan) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime can start");
    for database in &plan.databases {
        runtime.block_on(measure_on(plan, *database));
    }
}

async fn measure_on(plan: &Plan, database: DatabaseKind) {
    let mut installation = Installation::start(plan, database, &[]).await;
    for provider in ["quickbooks", "xero"] {
        let account = installation.connect(provider);
        installation.import_all(&account);
    }
    installation.wait_until_synced(Duration::from_secs(120)).await;
    let rows = plan.rows;
    log_fill::fill(&installation, rows).await;
    let mut conn = installation.store.read().await.expect("the database answers");
    let company = store::companies::list_all_linked(&mut conn).await.expect("companies can be listed").remove(0);
    drop(conn);
    let own = format!("/integrations/logs/companies/{}", company.id);
    let all = "/integrations/logs/all";
    let place = |share: i64| if share == 100 { String::new() } else { format!("older={}", log_fill::id_of(rows * share / 100)) };

    let mut shown = Vec::new();
    let named = |name: &str, measured: &Measured, within: Duration, share: usize| {
        let figures = [50, 95, 99].map(|share| millis(measured.percentile(share)));
        let [median, most, nearly_all] = figures;
        [name.to_owned(), grouped(measured.count() as u64), median, most, nearly_all, verdict(measured.percentile(share) < within)]
    };

    // once round, so that the caches of the database and of the system hold what they can hold
    for share in [100, 75, 50, 25, 1] {
        read(&mut installation, &format!("{all}?{}", place(share)));
    }
    let mut unfiltered = Vec::new();
    for at in 0..plan.repeat * 10 {
        let share = 100 - (at as i64 * 37) % 100;
        unfiltered.push(read(&mut installation, &format!("{all}?{}", place(share))));
    }
    shown.push(named("no filter, any depth", &Measured::of(unfiltered), UNFILTERED_WITHIN, 99));

    let dates = [log_fill::day_of(rows / 2), log_fill::day_of(rows / 100)].map(|day| day.to_string());
    let mut everything = Vec::new();
    let mut slowest = (Duration::ZERO, String::new());
    for chosen in 0..128_usize {
        for value in 0..2 {
            let filters: Vec<&str> = (0..7).filter(|bit| chosen & (1 << bit) != 0).map(|bit| FILTERS[bit][(value + bit + chosen) % 2]).collect();
            let query = filters.join("&").replace("MIDDLE", &dates[0]).replace("OLD", &dates[1]);
            for share in [100, 50, 3] {
                let address = format!("{all}?{query}&{}", place(share));
                let took = read(&mut installation, &address);
                if took > slowest.0 {
                    slowest = (took, address);
                }
                everything.push(took);
            }
        }
    }
    shown.push(named("every combination of the seven filters, newest, half deep and old", &Measured::of(everything), FILTERED_WITHIN, 95));

    let cases = [
        ("one company's log", format!("{own}?{}", place(50))),
        ("one company's errors", format!("{own}?status=error&{}", place(50))),
        ("message: one entry in ten", format!("{all}?message=access&{}", place(50))),
        ("message: a word few entries have", format!("{all}?message=tie%20out&{}", place(50))),
        ("message: a word only the oldest have", format!("{all}?message=unlinked")),
        ("message: a word no entry has", format!("{all}?message=no%20such%20words")),
        ("message: a number", format!("{all}?message=77%20added&{}", place(50))),
        ("message: a number no entry has", format!("{all}?message=4711%20added")),
        ("company: one in a hundred", format!("{all}?company=company%2042&{}", place(50))),
        ("external account: one in seven", format!("{all}?account=books3&{}", place(50))),
        (
            "all but date at once",
            format!("{all}?software=quickbooks&company=company&account=books4&type=event&message=access&status=success&{}", place(50)),
        ),
        ("cards", "/integrations/logs".to_owned()),
    ];
    for (name, path) in cases {
        let measured = Measured::repeat(plan.repeat, || read(&mut installation, &path));
        shown.push(named(name, &measured, FILTERED_WITHIN, 95));
    }
    let addresses: Vec<_> = (1..=100).map(|share| installation.address(&format!("{all}?{}", place(share)))).collect();
    let load = readers::read(&installation.visitor, &addresses, READERS, READ_FOR);
    let each_second = load.took.count() as u64 * 1_000 / READ_FOR.as_millis() as u64;
    shown.push(named(&format!("{READERS} readers at once, no filter, any depth"), &load.took, Duration::from_millis(250), 99));
    installation.end().await;

    let title = format!("A page of 50 of a log with {} entries of {DISTINCT_COMPANIES} companies, on {database}", grouped(rows as u64));
    table::print(&title, ["Page", "Times", "Median", "95 %", "99 %", "Promise"], &shown);
    println!("{each_second} pages a second to {READERS} readers (at least {REQUESTS_PER_SECOND}): {}.", verdict(each_second >= REQUESTS_PER_SECOND));
    println!("The slowest combination took {}: {}\n", millis(slowest.0), slowest.1);
}

fn read(installation: &mut Installation, path: &str) -> Duration {
    let answer = installation.get(path);
    assert_eq!(answer.status, 200, "{path}: {}", answer.body);
    answer.took
}
