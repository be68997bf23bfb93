//! What the program says about itself, and what it makes of a command line or a setting that is wrong.
use crate::{SOON, contents};
use std::net::TcpListener;
use testkit::{Finished, Launch};

fn tieout(arguments: &[&str]) -> Finished {
    Launch::tieout(arguments).run(SOON)
}

#[test]
fn help_lists_every_command_and_what_the_exit_codes_mean() {
    let help = tieout(&["--help"]);
    assert_eq!(help.status.code(), Some(0), "{help:?}");
    let commands =
        ["demo", "serve", "worker", "sandbox", "sync", "status", "logs", "verify", "audit", "doctor", "password", "reset-second-factor", "migrate"];
    for command in commands {
        assert!(help.stdout.lines().any(|line| line.trim_start().starts_with(&format!("{command} "))), "{command} is missing: {}", help.stdout);
        let own = tieout(&[command, "--help"]);
        assert_eq!(own.status.code(), Some(0), "{command}: {own:?}");
        assert!(own.stdout.contains(&format!("Usage: tieout {command}")), "{}", own.stdout);
    }
    assert!(help.stdout.contains("Exit codes:"), "{}", help.stdout);
    assert!(tieout(&["--version"]).stdout.starts_with("tieout "));
}

#[test]
fn a_command_line_that_is_wrong_ends_with_exit_code_2_and_a_hint() {
    let cases: [(&[&str], &str); 5] = [
        (&["frobnicate"], "unrecognized subcommand 'frobnicate'"),
        (&["verify", "Acme", "--as-of", "31.12.2025"], "31.12.2025"),
        (&["sandbox", "--books", "books.csv"], "--provider <PROVIDER>"),
        (&["sandbox", "--provider", "xero"], "--books FILE.csv or --documents COUNT"),
        (&["logs", "--limit", "0"], "1..=10000"),
    ];
    for (arguments, expected) in cases {
        let ended = tieout(arguments);
        assert_eq!(ended.status.code(), Some(2), "{arguments:?}: {ended:?}");
        assert!(ended.stderr.contains(expected), "{arguments:?}: {}", ended.stderr);
    }
}

#[test]
fn a_wrong_setting_is_one_sentence_that_names_it_and_nothing_is_written() {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    std::fs::write(folder.path().join("bad.toml"), "listen = 7\n").expect("the folder can be written to");
    let before = contents(folder.path());
    let cases: [(&[&str], &str, &str, &str); 10] = [
        (&["serve"], "TIEOUT_AUDIT_DAYS", "364", "the setting audit_days is `364`; expected a whole number from 365 to 36500"),
        (&["serve"], "TIEOUT_LISTEN", "8484", "the setting listen (TIEOUT_LISTEN) is `8484`; expected an address and port"),
        (&["serve"], "TIEOUT_WORKERS", "0", "the setting workers is `0`; expected a whole number from 1 to 256"),
        (&["serve"], "TIEOUT_PUBLIC_URL", "books.example", "the setting public_url (TIEOUT_PUBLIC_URL) is `books.example`"),
        (&["status"], "TIEOUT_LEASE_SECS", "soon", "the setting lease_secs (TIEOUT_LEASE_SECS) is `soon`; expected a whole number from 2 to 300"),
        (&["migrate"], "DATABASE_URL", "mysql://host/books", "the setting database (DATABASE_URL) is `mysql://host/books`; expected a file name"),
        (&["worker"], "TIEOUT_KEY", "swordfish", "the setting key (TIEOUT_KEY): the key is not usable: expected 64 hexadecimal digits"),
        (&["logs"], "TIEOUT_XERO_CLIENT_ID", "abc", "the setting xero.client_secret (TIEOUT_XERO_CLIENT_SECRET) is missing"),
        (&["doctor", "--config", "bad.toml"], "TIEOUT_DATA_DIR", "data", "the settings file is not usable"),
        (&["serve", "--config", "missing.toml"], "TIEOUT_DATA_DIR", "data", "the settings file missing.toml cannot be read"),
    ];
    for (arguments, name, value, expected) in cases {
        let ended = Launch::tieout(arguments).env(name, value).current_dir(folder.path()).run(SOON);
        assert_eq!(ended.status.code(), Some(2), "{name}: {ended:?}");
        assert!(ended.stderr.starts_with(&format!("tieout: {expected}")) && ended.stderr.lines().count() == 1, "{name}: {}", ended.stderr);
        assert_eq!(contents(folder.path()), before, "{name}: something was written");
    }
}

#[test]
fn a_taken_port_is_told_before_anything_is_written() {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let taken = TcpListener::bind("127.0.0.1:0").expect("there is a free port");
    let address = taken.local_addr().expect("a bound port has an address").to_string();
    let cases: [(&[&str], &str); 3] = [
        (&["serve"], "setting listen, TIEOUT_LISTEN"),
        (&["demo", "--listen", &address], "--listen"),
        (&["sandbox", "--listen", &address], "TIEOUT_SANDBOX_LISTEN"),
    ];
    for (arguments, setting) in cases {
        let ended = Launch::tieout(arguments).env("TIEOUT_LISTEN", &address).current_dir(folder.path()).run(SOON);
        assert_eq!(ended.status.code(), Some(2), "{arguments:?}: {ended:?}");
        assert!(ended.stderr.contains(&address) && ended.stderr.contains(setting) && ended.stderr.contains("another program"), "{}", ended.stderr);
        assert!(contents(folder.path()).is_empty(), "{arguments:?}: something was written");
    }
}

#[test]
fn a_general_journal_with_a_bad_row_is_refused_with_line_and_reason_and_nothing_is_loaded() {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let header = "entry,date,kind,account_code,account_name,account_type,debit,credit,currency,contact,memo";
    let good = "1,2024-01-31,,100,Bank,bank,10.00,,USD,,\n1,2024-01-31,,400,Sales,income,,10.00,USD,,";
    let cases = [
        (
            "2,2024-02-01,,100,Bank,bank,5.00,,USD,,\n2,2024-02-01,,400,Sales,income,,4.99,USD,,",
            "line 4: entry 2 does not balance: debits are larger by 0.01",
        ),
        ("2,2024-02-30,,100,Bank,bank,5.00,,USD,,", "line 4: date \"2024-02-30\" is no date of the form 2025-01-31"),
        ("2,2024-02-01,,500,Gold,treasure,5.00,,USD,,", "line 4: account_type \"treasure\" is none of bank, "),
        ("2,2024-02-01,,100,Bank,bank,5.005,,USD,,", "line 4: debit \"5.005\" is no amount"),
    ];
    for (number, (rows, expected)) in cases.into_iter().enumerate() {
        let file = folder.path().join(format!("{number}.csv"));
        std::fs::write(&file, format!("{header}\n{good}\n{rows}\n")).expect("the folder can be written to");
        for provider in ["quickbooks", "xero"] {
            let books = file.to_string_lossy();
            let ended = tieout(&["sandbox", "--listen", "127.0.0.1:0", "--books", &books, "--provider", provider]);
            assert_eq!(ended.status.code(), Some(2), "{ended:?}");
            assert!(ended.stderr.contains(expected) && ended.stderr.contains("nothing was loaded"), "{}", ended.stderr);
            assert!(ended.stdout.is_empty(), "it never got ready: {}", ended.stdout);
        }
    }
}

#[cfg(unix)]
#[test]
fn the_database_and_its_key_are_for_their_owner_only() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().expect("a folder for the test");
    let made = Launch::tieout(["migrate"]).env("TIEOUT_DATA_DIR", folder.path().join("data")).run(SOON);
    assert_eq!(made.status.code(), Some(0), "{made:?}");
    for name in ["tieout.db", "tieout.key"] {
        let mode = std::fs::metadata(folder.path().join("data").join(name)).expect("it was made").permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
}
