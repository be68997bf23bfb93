//! Which account lies where, and why. It is applied when a statement is read, so that changing it rewrites nothing.
use super::AccountKind;
use super::category::{self, Category, StandardChart, find_leaf};
use super::rules::{self, DECIDED};
use super::suggest::{LEAST, Suggestion, suggest};
use crate::document::AccountClass;
use crate::money::Amount;
use crate::statements::trial_balance::{AccountMovements, Chart};
use std::collections::BTreeMap;

/// Who put an account where it is; the first that says something wins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum MappingSource {
    User,
    Ai,
    Rule,
    /// Nobody and nothing knew.
    Unmapped,
}

impl MappingSource {
    pub const ALL: [MappingSource; 4] = [MappingSource::User, MappingSource::Ai, MappingSource::Rule, MappingSource::Unmapped];
    pub fn as_str(self) -> &'static str {
        match self {
            MappingSource::User => "user",
            MappingSource::Ai => "ai",
            MappingSource::Rule => "rule",
            MappingSource::Unmapped => "unmapped",
        }
    }
    pub fn parse(word: &str) -> Option<MappingSource> {
        MappingSource::ALL.into_iter().find(|source| source.as_str() == word)
    }
    pub fn label(self) -> &'static str {
        match self {
            MappingSource::User => "User Categorization",
            MappingSource::Ai => "AI normalization",
            MappingSource::Rule => "Rule-based categorization",
            MappingSource::Unmapped => "Unmapped",
        }
    }
}

/// What a sync found that a person should look at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Flag {
    New,
    Retyped,
    Renamed,
}

impl Flag {
    pub fn as_str(self) -> &'static str {
        match self {
            Flag::New => "new",
            Flag::Retyped => "retyped",
            Flag::Renamed => "renamed",
        }
    }
    pub fn parse(word: &str) -> Option<Flag> {
        [Flag::New, Flag::Retyped, Flag::Renamed].into_iter().find(|flag| flag.as_str() == word)
    }
}

/// What a person did with an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    Set,
    /// Says that it lies right where it is.
    Confirm,
    /// Back to what rules and suggestions say.
    Revert,
}

impl Step {
    pub fn as_str(self) -> &'static str {
        match self {
            Step::Set => "set",
            Step::Confirm => "confirm",
            Step::Revert => "revert",
        }
    }
    pub fn parse(word: &str) -> Option<Step> {
        [Step::Set, Step::Confirm, Step::Revert].into_iter().find(|step| step.as_str() == word)
    }
}

/// Where one account lies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assignment {
    pub category: &'static Category,
    pub source: MappingSource,
    /// 0 to 100.
    pub confidence: u8,
    /// For a person: the rule and what it matched, the model and its score, or who decided.
    pub reason: String,
}

/// Where rules and suggestions put an account. `suggested` is what a model answered; without it the built-in vocabulary is asked.
pub fn assign(account: &AccountKind<'_>, suggested: Option<&Suggestion>) -> Assignment {
    let rule = rules::decide(account);
    if let Some(rule) = rule.as_ref().filter(|rule| rule.confidence >= DECIDED) {
        return by_rule(rule);
    }
    let fits = |suggestion: &Suggestion| suggestion.category.is_leaf && suggestion.category.class == account.class && suggestion.confidence >= LEAST;
    let suggestion = suggested.filter(|suggestion| fits(suggestion)).cloned().or_else(|| suggest(account));
    match (suggestion, rule) {
        (Some(suggestion), _) => Assignment {
            category: suggestion.category,
            source: MappingSource::Ai,
            confidence: suggestion.confidence,
            reason: format!("{}: {}, score {}", suggestion.model, suggestion.matched, suggestion.confidence),
        },
        (None, Some(rule)) => by_rule(&rule),
        (None, None) => nothing_known(account.class),
    }
}

/// Whether rules leave an account undecided, so that a suggestion is asked for.
pub fn is_undecided(account: &AccountKind<'_>) -> bool {
    rules::decide(account).is_none_or(|rule| rule.confidence < DECIDED)
}

fn by_rule(rule: &rules::Decision) -> Assignment {
    let kind = match rule.rule.split('.').next() {
        Some("system") => "system account",
        Some("detail") => "detail type",
        _ => "account type",
    };
    Assignment {
        category: rule.category,
        source: MappingSource::Rule,
        confidence: rule.confidence,
        reason: format!("Rule {}: the {kind} is “{}”", rule.rule, rule.matched),
    }
}

pub fn nothing_known(class: AccountClass) -> Assignment {
    Assignment {
        category: category::unmapped(class),
        source: MappingSource::Unmapped,
        confidence: 0,
        reason: "No rule decides its type, and its name is like nothing we know".to_owned(),
    }
}

/// What a person decided, over what rules and suggestions say. A decision for another class than the account has now cannot hold: money would move
/// between classes.
pub fn decide(class: AccountClass, machine: Assignment, chosen: Option<(&str, String)>) -> Assignment {
    let Some((key, who)) = chosen else { return machine };
    match find_leaf(key).filter(|category| category.class == class) {
        Some(category) => Assignment { category, source: MappingSource::User, confidence: 100, reason: who },
        None => {
            let confidence = machine.confidence.min(50);
            let reason = format!("{who}, but the account's class has changed since. {}", machine.reason);
            Assignment { reason, confidence, ..machine }
        }
    }
}

/// What a doubt costs: the balance times what is missing to certainty.
pub fn impact(balance: Amount, confidence: u8) -> Amount {
    let missing = i128::from(100 - confidence.min(100));
    Amount(i64::try_from(i128::from(balance.0.unsigned_abs()) * missing / 100).unwrap_or(i64::MAX))
}

/// Every account of a company in its place.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mapping(pub BTreeMap<String, Assignment>);

impl Mapping {
    /// The leaf of an account. One that nobody has mapped lies in the *Unmapped* leaf of its class; one the chart does not know counts as an asset.
    pub fn leaf(&self, account_id: &str, chart: &dyn Chart) -> &'static Category {
        let class = chart.class(account_id).unwrap_or(AccountClass::Asset);
        self.0
            .get(account_id)
            .map(|assignment| assignment.category)
            .filter(|leaf| leaf.is_leaf && leaf.class == class)
            .unwrap_or(category::unmapped(class))
    }

    /// The movements of the ledger by leaf instead of by account: statements in the standard chart are computed from them.
    pub fn normalize(&self, movements: &AccountMovements, chart: &dyn Chart) -> AccountMovements {
        let mut normalized = AccountMovements::new();
        for ((account_id, month), amount) in movements {
            *normalized.entry((self.leaf(account_id, chart).key.to_owned(), *month)).or_default() += *amount;
        }
        normalized
    }
}

/// What moves when accounts are put elsewhere: for each leaf they leave, the amounts by month.
pub fn effect<'a>(
    movements: &AccountMovements,
    chart: &dyn Chart,
    mapping: &Mapping,
    account_ids: impl IntoIterator<Item = &'a str>,
    to: &Category,
) -> BTreeMap<usize, BTreeMap<crate::clock::Month, Amount>> {
    let leaving: std::collections::BTreeSet<&str> = account_ids.into_iter().collect();
    let mut moved: BTreeMap<usize, BTreeMap<crate::clock::Month, Amount>> = BTreeMap::new();
    for ((account_id, month), amount) in movements {
        let from = mapping.leaf(account_id, chart);
        if leaving.contains(account_id.as_str()) && from.rank != to.rank {
            *moved.entry(from.rank).or_default().entry(*month).or_default() += *amount;
        }
    }
    for months in moved.values_mut() {
        months.retain(|_, amount| !amount.is_zero());
    }
    moved
}

/// Sums by month and class, as a check compares them.
pub type ClassSums = BTreeMap<(crate::clock::Month, AccountClass), Amount>;

pub fn class_sums(movements: &AccountMovements, chart: &dyn Chart) -> ClassSums {
    let mut sums = ClassSums::new();
    for ((account_id, month), amount) in movements {
        *sums.entry((*month, chart.class(account_id).unwrap_or(AccountClass::Asset))).or_default() += *amount;
    }
    sums.retain(|_, amount| !amount.is_zero());
    sums
}

/// Months and classes in which the normalized movements are not the source's: none, or the mapping is broken.
pub fn differences(source: &AccountMovements, chart: &dyn Chart, normalized: &AccountMovements) -> Vec<(crate::clock::Month, AccountClass, Amount)> {
    let mut left = class_sums(source, chart);
    for (key, amount) in class_sums(normalized, &StandardChart) {
        *left.entry(key).or_default() -= amount;
    }
    left.into_iter().filter(|(_, amount)| !amount.is_zero()).map(|((month, class), amount)| (month, class, amount)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Month;
    use crate::document::AccountClass::{Asset, Equity, Expense, Liability, Revenue};
    use crate::statements::{balance_sheet, profit_and_loss};

    fn kind<'a>(name: &'a str, class: AccountClass, account_type: &'a str, role: &'a str) -> AccountKind<'a> {
        AccountKind { name, class, account_type, role }
    }

    // proves E2 in part
    // proves E16 in part
    #[test]
    fn a_person_is_before_a_suggestion_and_a_suggestion_before_a_weak_rule_and_each_says_why() {
        let certain = assign(&kind("Whatever", Asset, "Bank", "Checking"), None);
        assert_eq!((certain.source, certain.category.key, certain.confidence), (MappingSource::Rule, "bank-accounts", 90));
        assert_eq!(certain.reason, "Rule detail.Checking: the detail type is “Checking”");
        // a general detail type gives way to a name that says more
        let general = |name| assign(&kind(name, Expense, "Expense", "OfficeGeneralAdministrativeExpenses"), None);
        assert_eq!((general("Qwertz").source, general("Qwertz").category.key), (MappingSource::Rule, "general-expenses"));
        let named = general("Office Supplies");
        assert_eq!((named.source, named.category.key), (MappingSource::Ai, "office-supplies"));
        assert_eq!(named.reason, "built-in vocabulary: “Office Supplies” is like “office supplies”, score 95");
        // a model's answer is before the vocabulary, if it is one
        let model =
            |key: &str| Suggestion { category: category::find(key).unwrap(), confidence: 80, model: "tiny".into(), matched: "it says so".into() };
        let answered = |key: &str| assign(&kind("Office Supplies", Expense, "EXPENSE", ""), Some(&model(key)));
        assert_eq!((answered("software").category.key, answered("software").reason.as_str()), ("software", "tiny: it says so, score 80"));
        for nonsense in ["premises", "bank-accounts"] {
            assert_eq!(answered(nonsense).category.key, "office-supplies", "{nonsense} is no leaf of this class");
        }
        let unknown = assign(&kind("Qwertz", Expense, "EXPENSE", ""), None);
        assert_eq!((unknown.source, unknown.category.key, unknown.confidence), (MappingSource::Unmapped, "unmapped-expenses", 0));
        let chosen = decide(Expense, named, Some(("rent", "Ada said so".to_owned())));
        assert_eq!((chosen.source, chosen.category.key, chosen.confidence), (MappingSource::User, "rent", 100));
        // what was chosen for an expense cannot hold for an asset
        let moved = decide(Asset, certain, Some(("rent", "Ada chose Rent".to_owned())));
        assert_eq!((moved.source, moved.category.key, moved.confidence), (MappingSource::Rule, "bank-accounts", 50));
        assert!(moved.reason.starts_with("Ada chose Rent, but the account's class has changed since."), "{}", moved.reason);
    }

    // proves E4 in part
    #[test]
    fn the_impact_is_the_balance_times_the_doubt_and_none_when_confirmed() {
        assert_eq!(impact(Amount(-1_000_000), 80), Amount(200_000));
        assert_eq!(impact(Amount(i64::MIN), 0), Amount(i64::MAX));
        assert_eq!(impact(Amount(1_000_000), 100), Amount::ZERO);
    }

    struct Made(BTreeMap<String, AccountClass>, Vec<String>);
    impl Chart for Made {
        fn class(&self, account_id: &str) -> Option<AccountClass> {
            self.0.get(account_id).copied()
        }
        fn retained_earnings(&self) -> Option<&str> {
            self.1.first().map(String::as_str)
        }
    }

    /// The next of a row of numbers that looks like chance and is the same in every run.
    fn next(seed: &mut u64) -> u64 {
        *seed ^= *seed << 13;
        *seed ^= *seed >> 7;
        *seed ^= *seed << 17;
        *seed
    }

    // proves E12 in part
    // proves E13 in part
    // proves E10 in part
    #[test]
    fn whatever_the_books_and_the_mapping_are_normalized_sums_equal_the_source_and_the_sheet_balances() {
        let classes = [Asset, Liability, Equity, Revenue, Expense];
        for round in 1..=300_u64 {
            let mut seed = round.wrapping_mul(0x9E37_79B9_7F4A_7C15);
            let mut chart = Made(BTreeMap::new(), Vec::new());
            let accounts: Vec<String> = (0..2 + next(&mut seed) % 30).map(|number| format!("a{number}")).collect();
            for (at, account) in accounts.iter().enumerate() {
                // some accounts of the ledger are not in the chart
                if !next(&mut seed).is_multiple_of(12) {
                    chart.0.insert(account.clone(), classes[(next(&mut seed) % 5) as usize]);
                }
                // none, one or several accounts of retained earnings
                if round % 3 > 0 && chart.0.get(account) == Some(&Equity) && (at as u64) < round % 7 {
                    chart.1.push(account.clone());
                }
            }
            let mut movements = AccountMovements::new();
            for _ in 0..next(&mut seed) % 200 {
                let month = Month { year: 2022 + (next(&mut seed) % 5) as i16, month: 1 + (next(&mut seed) % 12) as i8 };
                let amount = Amount((next(&mut seed) % 2_000_000_000) as i64 - 1_000_000_000);
                let mut side = |amount| {
                    let account = &accounts[(next(&mut seed) % accounts.len() as u64) as usize];
                    *movements.entry((account.clone(), month)).or_default() += amount;
                };
                side(amount);
                side(-amount);
            }
            // places of any class, groups among them: what does not fit counts as unmapped
            let all = category::all();
            let mut mapping = Mapping::default();
            for account in &accounts {
                if !next(&mut seed).is_multiple_of(5) {
                    let category = &all[(next(&mut seed) % all.len() as u64) as usize];
                    mapping.0.insert(account.clone(), Assignment { category, source: MappingSource::User, confidence: 100, reason: String::new() });
                }
            }
            let normalized = mapping.normalize(&movements, &chart);
            assert_eq!(differences(&movements, &chart, &normalized), [], "round {round}");
            assert!(normalized.keys().all(|(key, _)| category::find_leaf(key).is_some()), "round {round}: every account lies in a leaf");
            let months: Vec<Month> = Month { year: 2026, month: 1 }.through(Month { year: 2026, month: 12 });
            let sheet = balance_sheet(&normalized, &StandardChart, &months, 1 + (round % 12) as i8);
            for (column, month) in months.iter().enumerate() {
                let of = |assets: bool| sheet.rows.iter().filter(|row| (row.class == Asset) == assets).map(|row| row.amounts[column]).sum::<Amount>();
                assert_eq!(of(true), of(false) + sheet.result_of_year[column], "round {round}, {month}");
            }
            // profit is the same in either chart
            let profit = |rows: Vec<crate::statements::AccountRow>| -> Vec<Amount> {
                let signed = |row: &crate::statements::AccountRow, at: usize| if row.class == Revenue { row.amounts[at] } else { -row.amounts[at] };
                (0..months.len()).map(|at| rows.iter().map(|row| signed(row, at)).sum()).collect()
            };
            assert_eq!(
                profit(profit_and_loss(&movements, &chart, &months)),
                profit(profit_and_loss(&normalized, &StandardChart, &months)),
                "round {round}"
            );
        }
    }

    #[test]
    fn a_broken_normalization_is_seen() {
        let chart = Made([("bank".to_owned(), Asset)].into(), Vec::new());
        let month = Month { year: 2026, month: 1 };
        let source: AccountMovements = [(("bank".to_owned(), month), Amount(500))].into();
        let broken: AccountMovements = [(("rent".to_owned(), month), Amount(500))].into();
        assert_eq!(differences(&source, &chart, &broken), [(month, Asset, Amount(500)), (month, Expense, Amount(-500))]);
    }
}
