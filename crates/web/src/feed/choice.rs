//! What an address of the Data Feed asks for: filters, order, page. What is chosen stands in the address, so a link reproduces the view.
use super::PATH;
use crate::parts::address::{Address, Asked};
use crate::parts::{provider, status};
use domain::company::Reason;
use store::feed::{Filter, Sort, WORDS};

#[derive(Clone, Debug, Default)]
pub struct Choice {
    pub filter: Filter,
    /// As the address has it: `-last_synced`.
    pub sort: String,
    pub size: usize,
    pub page: i64,
}

/// A filter with a closed set of values: its name in addresses, its label, its values with theirs.
pub struct Select {
    pub name: &'static str,
    pub label: &'static str,
    pub options: Vec<SelectOption>,
}

pub struct SelectOption {
    pub value: &'static str,
    pub label: &'static str,
    pub chosen: bool,
}

const LINKS: [(&str, &str); 2] = [("linked", "Linked"), ("not_linked", "Not linked")];
const MARKS: [(&str, &str); 3] = [("verified", "Verified"), ("not_verified", "Not verified"), ("not_checked", "Not checked")];
const SYNCED: [(&str, &str); 5] =
    [("hour", "Within an hour"), ("day", "Within a day"), ("week", "Within a week"), ("older", "Longer than a day ago"), ("never", "Never")];
const NEXT: [(&str, &str); 3] = [("hour", "Within an hour"), ("later", "Later"), ("none", "None")];
const LAST_RUN: [(&str, &str); 3] = [("changed", "Found changes"), ("unchanged", "Found none"), ("minute", "Took over a minute")];
const FRESHNESS: [(&str, &str); 2] = [("met", "Within its target"), ("missed", "Past its target")];

impl Choice {
    pub fn of(asked: &Asked) -> Choice {
        let one_of = |name: &str, values: &[(&'static str, &'static str)]| {
            let said = asked.get(name);
            values.iter().map(|(value, _)| *value).find(|value| *value == said).unwrap_or_default().to_owned()
        };
        let said = asked.get("status");
        let is_status = WORDS.contains(&said) || ["not_verified", "stale"].contains(&said) || Reason::ALL.iter().any(|reason| reason.key() == said);
        Choice {
            filter: Filter {
                // names are shorter; the rest of a longer text cannot be found
                search: asked.get("q").chars().take(200).collect(),
                account_name: asked.get("account_name").chars().take(200).collect(),
                provider: asked.get("provider").to_owned(),
                account: asked.get("account").to_owned(),
                status: if is_status { said.to_owned() } else { String::new() },
                mark: one_of("mark", &MARKS),
                synced: one_of("synced", &SYNCED),
                next: one_of("next", &NEXT),
                last_run: one_of("last_run", &LAST_RUN),
                freshness: one_of("freshness", &FRESHNESS),
                link: one_of("link", &LINKS),
                ..Filter::default()
            },
            sort: Some(asked.get("sort")).filter(|sort| !sort.is_empty() && Sort::parse(sort).text() == *sort).unwrap_or_default().to_owned(),
            size: asked.size(),
            page: asked.get("page").parse().unwrap_or(1).max(1),
        }
    }

    pub fn sort(&self) -> Sort {
        Sort::parse(&self.sort)
    }

    /// The address without its page.
    pub fn address(&self) -> Address {
        self.address_at(PATH)
    }
    pub fn address_at(&self, path: &str) -> Address {
        let size = if self.size == 50 { String::new() } else { self.size.to_string() };
        let mut address = Address::new(path);
        for (name, value) in self.said() {
            address = address.with(name, value);
        }
        address.with("sort", &self.sort).with("size", size)
    }
    pub fn address_of_page(&self, page: i64) -> Address {
        self.address().with("page", if page > 1 { page.to_string() } else { String::new() })
    }

    fn said(&self) -> [(&'static str, &str); 11] {
        let filter = &self.filter;
        [
            ("q", &filter.search),
            ("provider", &filter.provider),
            ("account_name", &filter.account_name),
            ("account", &filter.account),
            ("link", &filter.link),
            ("status", &filter.status),
            ("mark", &filter.mark),
            ("synced", &filter.synced),
            ("next", &filter.next),
            ("last_run", &filter.last_run),
            ("freshness", &filter.freshness),
        ]
    }

    /// The filters that are chosen from a list.
    pub fn selects(&self) -> Vec<Select> {
        let filter = &self.filter;
        let select = |name: &'static str, label: &'static str, values: &[(&'static str, &'static str)], chosen: &str| Select {
            name,
            label,
            options: values.iter().map(|(value, label)| SelectOption { value, label, chosen: *value == chosen }).collect(),
        };
        vec![
            select("link", "Link", &LINKS, &filter.link),
            select("mark", "Tie-out", &MARKS, &filter.mark),
            select("synced", "Last Synced", &SYNCED, &filter.synced),
            select("next", "Next run", &NEXT, &filter.next),
            select("last_run", "Last run", &LAST_RUN, &filter.last_run),
            select("freshness", "Freshness", &FRESHNESS, &filter.freshness),
        ]
    }

    /// What is chosen besides the status of the summary line: a label, and the address without it.
    pub fn chips(&self, account_name: Option<String>) -> Vec<Chip> {
        let filter = &self.filter;
        let mut chips = Vec::new();
        let mut chip = |name: &str, label: String| chips.push(Chip { label, remove: self.address().with(name, "").to_string() });
        if !filter.search.is_empty() {
            chip("q", format!("Name: {}", filter.search));
        }
        if !filter.provider.is_empty() {
            chip("provider", provider::name(&filter.provider).to_owned());
        }
        if !filter.account_name.is_empty() {
            chip("account_name", format!("External account: {}", filter.account_name));
        }
        if !filter.account.is_empty() {
            chip("account", format!("External account: {}", account_name.unwrap_or_else(|| "unknown".to_owned())));
        }
        if let Some(reason) = Reason::ALL.iter().find(|reason| reason.key() == filter.status) {
            chip("status", format!("Needs Resync: {}", reason.label()));
        }
        for select in self.selects() {
            if let Some(option) = select.options.iter().find(|option| option.chosen) {
                chip(select.name, format!("{}: {}", select.label, option.label));
            }
        }
        chips
    }

    /// The words of the summary line that are always there, and the ones that are when somebody has them.
    pub fn words() -> impl Iterator<Item = (&'static str, &'static str)> {
        [("", "All companies")].into_iter().chain(status::WORDS).chain([("not_verified", "Not verified"), ("stale", "Past freshness target")])
    }
}

pub struct Chip {
    pub label: String,
    pub remove: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_what_it_asks_for_and_nonsense_asks_for_nothing() {
        let text = "/integrations/data-feed?q=50%25_off&provider=xero&status=tie_out_failed&mark=verified&synced=older&sort=-last_synced&size=25";
        let asked = Asked::parse(text.split_once('?').unwrap().1.as_bytes());
        let choice = Choice::of(&asked);
        assert_eq!(choice.address().to_string(), text);
        assert_eq!(choice.filter.search, "50%_off");
        assert_eq!(choice.chips(None).len(), 5);
        let nonsense = Choice::of(&Asked::parse(b"status=evil&sort=1;DROP&mark=x&synced=y&size=7&page=-3&link=no&next=0&last_run=1&freshness=2"));
        assert_eq!(nonsense.address().to_string(), PATH);
        assert_eq!((nonsense.size, nonsense.page), (50, 1));
        assert_eq!(Choice::of(&Asked::parse("q=".as_bytes()).clone()).filter, Filter::default());
        assert_eq!(Choice::of(&Asked::parse(format!("q={}", "é".repeat(5_000)).as_bytes())).filter.search.chars().count(), 200);
    }
}
