//! Many companies at once, by one statement: for tests and measures of what an organization of that size sees.

/// A statement that copies a company under other names: `$1` is its id, `$2` how many copies. A third of them is paused, the last run of a ninth failed, a
/// quarter is due, a seventh does not tie out.
pub const COPY_COMPANY: &str = "INSERT INTO companies
     (id, organization_id, provider, remote_id, remote_id_hash, name, connection_id, currency, country, time_zone, fiscal_year_start_month, found_at,
      linked_at, paused_at, interval_secs, next_due_at, cursor_at, last_success_at, last_full_at, last_run_id, last_run_state, last_problem, first_day,
      journals_through, mark, marked_at, marked_as_of, evidence, name_folded, last_run_ms, last_run_added, last_run_changed, last_run_deleted)
 WITH RECURSIVE numbers (n) AS (SELECT CAST(1 AS BIGINT) UNION ALL SELECT n + 1 FROM numbers WHERE n < $2)
 SELECT id || '-' || CAST(n AS TEXT), organization_id, provider, remote_id, remote_id_hash || CAST(n AS TEXT), 'Company ' || CAST(n AS TEXT) || ' Ltd', connection_id, currency,
        country, time_zone, fiscal_year_start_month, found_at, linked_at, CASE n % 3 WHEN 0 THEN linked_at ELSE NULL END, interval_secs,
        next_due_at + n * 1000, cursor_at, CASE n % 4 WHEN 0 THEN last_success_at - 7200000 ELSE last_success_at END, last_full_at, last_run_id,
        CASE n % 9 WHEN 0 THEN 'failed' ELSE last_run_state END, last_problem, first_day, journals_through,
        CASE n % 7 WHEN 0 THEN 'not_verified' ELSE mark END, marked_at, marked_as_of, evidence,
        'company ' || CAST(n AS TEXT) || ' ltd', last_run_ms + n, n, n % 5, n % 2
 FROM companies CROSS JOIN numbers WHERE id = $1";
