//! What rules cannot decide, names may: an account's name is compared with a labelled vocabulary in several languages. No model, no call, and
//! always the same answer.
use super::AccountKind;
use super::category::{Category, find_leaf};
use super::vocabulary::VOCABULARY;
use std::sync::LazyLock;

/// A suggestion below this is none: the account stays unmapped, where everybody sees it.
pub const LEAST: u8 = 60;
/// Names alone are never certain.
const MOST: u32 = 95;

/// A place that a text comparison or a model found for an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Suggestion {
    pub category: &'static Category,
    /// 0 to 100.
    pub confidence: u8,
    /// Who says so: `built-in vocabulary`, or the name of a model.
    pub model: String,
    /// The words it was found by.
    pub matched: String,
}

/// A model's answer, if it is one: a leaf of the account's class, with enough confidence.
pub fn checked(account: &AccountKind<'_>, key: &str, confidence: u8, model: &str, reason: &str) -> Option<Suggestion> {
    let category = find_leaf(key).filter(|category| category.class == account.class && !category.is_unmapped())?;
    let matched: String = reason.chars().map(|c| if c.is_control() { ' ' } else { c }).take(160).collect();
    let matched = if matched.trim().is_empty() { "it gives no reason".to_owned() } else { matched.trim().to_owned() };
    (LEAST..=100).contains(&confidence).then(|| Suggestion { category, confidence, model: model.to_owned(), matched })
}

struct Phrase {
    category: &'static Category,
    text: &'static str,
    tokens: Vec<Token>,
}

/// A word, and its groups of three letters in order.
struct Token {
    text: String,
    groups: Vec<[char; 3]>,
}

impl Token {
    fn all_of(text: &str) -> Vec<Token> {
        let of = |text: String| {
            let letters: Vec<char> = [' '].into_iter().chain(text.chars()).chain([' ']).collect();
            let mut groups: Vec<[char; 3]> = letters.windows(3).map(|three| [three[0], three[1], three[2]]).collect();
            groups.sort_unstable();
            Token { text, groups }
        };
        tokens(text).into_iter().map(of).collect()
    }
}

static PHRASES: LazyLock<Vec<Phrase>> = LazyLock::new(|| {
    let of = |(key, texts): &(&str, &'static str)| {
        let category = find_leaf(key).expect("the vocabulary names leaves; a test reads all of it");
        texts.split(',').map(str::trim).map(move |text| Phrase { category, text, tokens: Token::all_of(text) }).collect::<Vec<_>>()
    };
    VOCABULARY.iter().flat_map(of).collect()
});

/// Words that say nothing about where an account belongs.
const EMPTY_WORDS: &[&str] = &[
    "and", "or", "of", "the", "for", "on", "in", "to", "less", "other", "account", "accounts", "und", "der", "die", "das", "fur", "von", "aus",
    "auf", "im", "konto", "sonstige", "et", "de", "des", "du", "la", "le", "les", "sur", "aux", "compte", "autres", "y", "el", "los", "las", "del",
    "por", "cuenta", "otros", "en", "van", "het", "een", "voor", "op", "overige", "rekening", "e", "do", "da", "dos", "das", "os", "as", "em",
    "conta", "outros", "outras", "di", "della", "dei", "delle", "per", "su", "conto", "altri", "altre", "och", "av", "for", "til", "expense",
    "expenses",
];

/// Lower case, without accents, in words.
fn tokens(text: &str) -> Vec<String> {
    let mut plain = String::with_capacity(text.len());
    for character in text.chars().flat_map(char::to_lowercase) {
        match character {
            'à' | 'á' | 'â' | 'ã' | 'ä' | 'å' | 'ā' | 'ą' => plain.push('a'),
            'è' | 'é' | 'ê' | 'ë' | 'ę' | 'ě' => plain.push('e'),
            'ì' | 'í' | 'î' | 'ï' => plain.push('i'),
            'ò' | 'ó' | 'ô' | 'õ' | 'ö' | 'ø' => plain.push('o'),
            'ù' | 'ú' | 'û' | 'ü' | 'ů' => plain.push('u'),
            'ç' | 'ć' | 'č' => plain.push('c'),
            'ñ' | 'ń' => plain.push('n'),
            'ß' => plain.push_str("ss"),
            'œ' => plain.push_str("oe"),
            'æ' => plain.push_str("ae"),
            'š' | 'ś' => plain.push('s'),
            'ž' | 'ź' | 'ż' => plain.push('z'),
            'ł' => plain.push('l'),
            'ý' => plain.push('y'),
            letter if letter.is_alphanumeric() => plain.push(letter),
            _ => plain.push(' '),
        }
    }
    let all: Vec<String> = plain.split_whitespace().filter(|word| !word.chars().all(|c| c.is_ascii_digit())).map(str::to_owned).collect();
    let telling: Vec<String> = all.iter().filter(|word| word.chars().count() > 1 && !EMPTY_WORDS.contains(&word.as_str())).cloned().collect();
    if telling.is_empty() { all } else { telling }
}

/// How alike two words are, 0 to 100: equal, one inside the other (compounds: `mietaufwand`), or by their groups of three letters.
fn likeness(a: &Token, b: &Token) -> u32 {
    let (short, long) = if a.text.len() <= b.text.len() { (a, b) } else { (b, a) };
    if short.text == long.text {
        return 100;
    }
    if short.text.len() >= 4 && long.text.contains(&short.text) {
        // the beginning or the end of a compound says more than its middle
        let at_edge = long.text.starts_with(&short.text) || long.text.ends_with(&short.text);
        return if at_edge { 92 } else { 78 };
    }
    let total = short.groups.len() + long.groups.len();
    let (mut shared, mut left, mut right) = (0, 0, 0);
    while left < short.groups.len() && right < long.groups.len() {
        match short.groups[left].cmp(&long.groups[right]) {
            std::cmp::Ordering::Less => left += 1,
            std::cmp::Ordering::Greater => right += 1,
            std::cmp::Ordering::Equal => (shared, left, right) = (shared + 1, left + 1, right + 1),
        }
    }
    let alike = u32::try_from(200 * shared / total.max(1)).unwrap_or(0);
    // few common letters mean nothing
    if alike < 55 { 0 } else { alike }
}

/// How much of `left` is found again in `right`; long words count more.
fn coverage(left: &[Token], right: &[Token]) -> u32 {
    let weight: usize = left.iter().map(|word| word.text.len()).sum();
    let found: usize = left.iter().map(|word| word.text.len() * right.iter().map(|other| likeness(word, other)).max().unwrap_or(0) as usize).sum();
    u32::try_from(found / weight.max(1)).unwrap_or(0)
}

/// The best place for a name among the leaves of its class, if any is good enough.
pub fn suggest(account: &AccountKind<'_>) -> Option<Suggestion> {
    // the account's own name first; what it lies in says less
    let mut parts = account.name.rsplit(':').map(str::trim).filter(|part| !part.is_empty());
    let own = parts.next()?;
    let found = best(account, own, 100).or_else(|| parts.next().and_then(|parent| best(account, parent, 85)))?;
    (found.confidence >= LEAST).then_some(found)
}

fn best(account: &AccountKind<'_>, name: &str, of_hundred: u32) -> Option<Suggestion> {
    let words = Token::all_of(name);
    let mut ranked: Vec<(u32, &Phrase)> = PHRASES
        .iter()
        .filter(|phrase| phrase.category.class == account.class)
        .filter_map(|phrase| {
            let found = coverage(&phrase.tokens, &words);
            // nothing of the phrase is there: not worth the other way round
            (found > 0).then(|| ((3 * found + 2 * coverage(&words, &phrase.tokens)) / 5, phrase))
        })
        .filter(|(score, _)| *score >= u32::from(LEAST))
        .collect();
    // the most alike, then the longest phrase, then the order of the chart: never a matter of chance
    ranked.sort_by(|a, b| b.0.cmp(&a.0).then(b.1.text.len().cmp(&a.1.text.len())).then(a.1.category.rank.cmp(&b.1.category.rank)));
    let (score, phrase) = *ranked.first()?;
    let rival = ranked.iter().find(|(_, other)| other.category.rank != phrase.category.rank).map_or(0, |(score, _)| *score);
    // two places that fit alike well are a doubt
    let doubt = if score - rival < 6 { 12 } else { 0 };
    let confidence = (score.min(MOST) * of_hundred / 100).saturating_sub(doubt);
    Some(Suggestion {
        category: phrase.category,
        confidence: u8::try_from(confidence).unwrap_or(0),
        model: "built-in vocabulary".to_owned(),
        matched: format!("“{name}” is like “{}”", phrase.text),
    })
    .filter(|found| found.confidence >= LEAST)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::AccountClass::{self, *};

    fn place(class: AccountClass, name: &str) -> Option<(&'static str, u8)> {
        suggest(&AccountKind { name, class, account_type: "", role: "" }).map(|found| (found.category.key, found.confidence))
    }

    #[test]
    fn words_are_compared_without_case_accents_and_numbers() {
        assert_eq!(tokens("4210 Mieten und Pachten (Büro)"), ["mieten", "pachten", "buro"]);
        assert_eq!(tokens("Other Expenses"), ["other", "expenses"], "a name of empty words keeps them");
        let alike = |a: &str, b: &str| likeness(&Token::all_of(a)[0], &Token::all_of(b)[0]);
        assert_eq!(alike("rent", "rent"), 100);
        assert_eq!(alike("miet", "mietaufwand"), 92);
        assert_eq!(alike("rent", "bank"), 0);
        assert!(alike("conservacion", "conservação") > 55);
    }

    #[test]
    fn an_account_is_suggested_only_within_its_class_and_only_when_a_name_tells_something() {
        assert_eq!(place(Expense, "Rent").map(|found| found.0), Some("rent"));
        assert_ne!(place(Revenue, "Rent").map(|found| found.0), Some("rent"));
        for name in ["Zylophonics", "Project 17", "1234", "", "Xq", "???", ":::"] {
            assert_eq!(place(Expense, name), None, "{name}");
        }
        let found = suggest(&AccountKind { name: "Utilities:Wasser", class: Expense, account_type: "", role: "" }).unwrap();
        assert_eq!((found.category.key, found.model.as_str()), ("utilities", "built-in vocabulary"));
        assert!(found.matched.contains("Wasser"), "{}", found.matched);
        // nothing is known of the account itself, but of what it lies in
        let child = place(Expense, "Travel:Qwertz").unwrap();
        assert!(child.0 == "travel" && child.1 <= 85, "{child:?}");
    }

    /// Names as charts in six languages have them, and where their English sibling lies.
    const LANGUAGES: &[(AccountClass, &str, &str)] = &[
        (
            Expense,
            "rent",
            "Rent|Raumkosten|Mietaufwand|Loyers|Alquileres|Huur|Rendas e alugueres|Affitti passivi|Miete (unbewegliche Wirtschaftsgüter)|Locations immobilières",
        ),
        (
            Expense,
            "wages",
            "Wages and Salaries|Löhne und Gehälter|Salaires et traitements|Sueldos y salarios|Lonen en salarissen|Salários e ordenados|Salari e stipendi|Gehälter|Rémunérations du personnel",
        ),
        (
            Expense,
            "payroll-taxes",
            "Employer Pension Contributions|Sozialversicherung|Gesetzliche soziale Aufwendungen|Charges sociales|Seguridad Social a cargo de la empresa|Sociale lasten|Encargos sociais|Oneri sociali|Cotisations URSSAF",
        ),
        (
            Expense,
            "advertising",
            "Advertising|Werbekosten|Publicité|Publicidad|Reclamekosten|Publicidade e propaganda|Pubblicità|Marketing und Werbung",
        ),
        (
            Expense,
            "travel",
            "Travel|Reisekosten|Voyages et déplacements|Gastos de viaje|Reiskosten|Deslocações e estadas|Viaggi e trasferte|Reisekosten Arbeitnehmer",
        ),
        (Expense, "insurance", "Insurance|Versicherungen|Primes d'assurance|Primas de seguros|Verzekeringen|Seguros|Assicurazioni"),
        (
            Expense,
            "telephone-and-internet",
            "Telephone & Internet|Telefon und Internet|Téléphone|Teléfono e internet|Telefoonkosten|Comunicações|Telefono|Frais de télécommunications",
        ),
        (
            Expense,
            "office-supplies",
            "Office Supplies|Bürobedarf|Fournitures de bureau|Material de oficina|Kantoorbenodigdheden|Material de escritório|Cancelleria",
        ),
        (
            Expense,
            "utilities",
            "Light, Power, Heating|Strom, Gas, Wasser|Électricité|Electricidad|Gas, water en elektra|Eletricidade|Energia elettrica|Gas and Electric",
        ),
        (
            Expense,
            "professional-fees",
            "Legal and Professional Fees|Rechts- und Beratungskosten|Honoraires|Servicios de profesionales independientes|Advieskosten|Honorários|Consulenze|Consulting & Accounting",
        ),
        (
            Expense,
            "bank-charges",
            "Bank Fees|Nebenkosten des Geldverkehrs|Frais bancaires|Servicios bancarios|Bankkosten|Serviços bancários|Spese bancarie",
        ),
        (
            Expense,
            "depreciation",
            "Depreciation|Abschreibungen auf Sachanlagen|Dotations aux amortissements|Amortización del inmovilizado|Afschrijvingen|Depreciações|Ammortamenti",
        ),
        (
            Expense,
            "interest-expense",
            "Interest Expense|Zinsaufwendungen|Charges d'intérêts|Intereses de deudas|Rentelasten|Juros suportados|Interessi passivi",
        ),
        (
            Expense,
            "vehicle-expenses",
            "Motor Vehicle Expenses|Kfz-Kosten|Frais de véhicules|Gastos de vehículos|Autokosten|Despesas com viaturas|Spese autoveicoli",
        ),
        (
            Expense,
            "repairs-and-maintenance",
            "Repairs and Maintenance|Reparaturen und Instandhaltung|Entretien et réparations|Reparaciones y conservación|Reparatie en onderhoud|Conservação e reparação|Manutenzioni e riparazioni",
        ),
        (
            Expense,
            "goods-and-materials",
            "Cost of Goods Sold|Wareneingang|Achats de marchandises|Compras de mercaderías|Inkoopwaarde van de omzet|Compras de mercadorias|Acquisti di merci|Wareneinkauf",
        ),
        (Expense, "shipping-and-postage", "Freight & Courier|Porto|Frais postaux|Transportes|Portokosten|Portes e correio|Spese postali|Postage"),
        (
            Expense,
            "income-tax",
            "Income Tax|Körperschaftsteuer|Impôt sur les sociétés|Impuesto sobre sociedades|Vennootschapsbelasting|Imposto sobre o rendimento|Imposte sul reddito",
        ),
        (
            Revenue,
            "product-sales",
            "Sales|Umsatzerlöse|Ventes de marchandises|Ventas de mercaderías|Omzet|Vendas|Ricavi delle vendite|Erlöse 19% USt",
        ),
        (
            Revenue,
            "service-revenue",
            "Services|Dienstleistungserlöse|Prestations de services|Prestación de servicios|Omzet diensten|Prestações de serviços|Prestazioni di servizi|Consulting (closed line)",
        ),
        (
            Revenue,
            "interest-income",
            "Interest Income|Zinserträge|Revenus d'intérêts|Ingresos por intereses|Rentebaten|Juros obtidos|Interessi attivi|Interest Earned",
        ),
        (
            Asset,
            "trade-receivables",
            "Accounts Receivable|Forderungen aus Lieferungen und Leistungen|Clients|Deudores comerciales|Debiteuren|Clientes conta corrente|Crediti verso clienti",
        ),
        (Asset, "bank-accounts", "Business Bank Account|Bankguthaben|Banques|Bancos|Bankrekening|Depósitos à ordem|Banca c/c"),
        (Asset, "cash-on-hand", "Petty Cash|Kasse|Caisse|Caja|Kas|Caixa|Cassa contanti"),
        (Asset, "inventory", "Inventory|Warenbestand|Stocks de marchandises|Existencias|Voorraden|Mercadorias em armazém|Rimanenze"),
        (
            Asset,
            "prepayments",
            "Prepaid Insurance|Aktive Rechnungsabgrenzung|Charges constatées d'avance|Gastos anticipados|Vooruitbetaalde kosten|Gastos a reconhecer|Risconti attivi",
        ),
        (
            Asset,
            "accumulated-depreciation",
            "Less Accumulated Depreciation on Office Equipment|Kumulierte Abschreibungen|Amortissements des immobilisations|Amortización acumulada|Cumulatieve afschrijving|Depreciações acumuladas|Fondo ammortamento",
        ),
        (
            Asset,
            "vehicles",
            "Motor Vehicles|Fuhrpark|Matériel de transport|Elementos de transporte|Vervoermiddelen|Equipamento de transporte|Automezzi",
        ),
        (
            Liability,
            "trade-payables",
            "Accounts Payable|Verbindlichkeiten aus Lieferungen und Leistungen|Fournisseurs|Proveedores|Crediteuren|Fornecedores|Debiti verso fornitori",
        ),
        (Liability, "sales-tax-payable", "VAT|Umsatzsteuer|TVA collectée|IVA repercutido|Af te dragen btw|IVA liquidado|Erario c/IVA|GST"),
        (
            Liability,
            "wages-payable",
            "Wages Payable|Verbindlichkeiten aus Lohn und Gehalt|Personnel rémunérations dues|Remuneraciones pendientes de pago|Te betalen lonen|Remunerações a pagar|Debiti verso dipendenti",
        ),
        (Liability, "long-term-debt", "Loan|Darlehen|Emprunts|Préstamos a largo plazo|Leningen|Empréstimos obtidos|Mutui passivi|Bankdarlehen"),
        (
            Equity,
            "retained-earnings",
            "Retained Earnings|Gewinnvortrag|Report à nouveau|Resultados acumulados|Ingehouden winst|Resultados transitados|Utili portati a nuovo",
        ),
        (Equity, "share-capital", "Share Capital|Gezeichnetes Kapital|Capital social|Aandelenkapitaal|Capitale sociale|Stammkapital"),
        (
            Equity,
            "owner-drawings",
            "Owner Drawings|Privatentnahmen|Compte de l'exploitant prélèvements|Retiros del propietario|Privé-opnamen|Levantamentos do titular|Prelievi del titolare|Owner's Draw",
        ),
    ];

    // proves E14 in part
    #[test]
    fn the_same_account_in_another_language_lies_in_the_same_place() {
        let mut wrong = Vec::new();
        for (class, key, names) in LANGUAGES {
            for name in names.split('|') {
                match place(*class, name) {
                    Some((found, _)) if found == *key => {}
                    other => wrong.push(format!("{name}: {other:?} instead of {key}")),
                }
            }
        }
        assert!(wrong.is_empty(), "{} of them:\n{}", wrong.len(), wrong.join("\n"));
    }

    /// Names that the vocabulary does not hold, as people write them.
    #[test]
    fn names_that_nobody_wrote_down_still_find_their_place_or_none() {
        let names = [
            (Expense, "rent", "Büromiete Berlin|Rent - Head Office|Alquiler oficina|Loyer bureaux Paris|Huur kantoorpand"),
            (Expense, "wages", "Gehälter Angestellte|Salaries - Admin|Salarios personal|Salaires bruts|Bruto lonen"),
            (Expense, "insurance", "Versicherungsbeiträge|Insurance: Liability|Seguro multirriesgo|Assurance RC Pro"),
            (Expense, "travel", "Reisekosten Verpflegung|Travel & Lodging|Viajes nacionales|Reiskosten personeel"),
            (Expense, "advertising", "Online-Werbung|Google Advertising|Publicidad digital|Online marketing"),
            (Expense, "telephone-and-internet", "Telefon Festnetz|Mobile Phone Costs|Telefono mobile|Internet kantoor"),
            (Asset, "bank-accounts", "Deutsche Bank Girokonto|Main Checking Account|Banco Santander c/c|Rabobank rekening courant bank"),
            (Liability, "long-term-debt", "Bankdarlehen Sparkasse|Mortgage - Warehouse|Préstamo bancario a largo plazo|Hypotheek pand"),
        ];
        let (mut right, mut wrong, mut open) = (0, Vec::new(), 0);
        for (class, key, list) in names {
            for name in list.split('|') {
                match place(class, name) {
                    Some((found, _)) if found == key => right += 1,
                    Some((found, score)) => wrong.push(format!("{name}: {found} ({score}) instead of {key}")),
                    None => open += 1,
                }
            }
        }
        println!("{right} right, {open} left open, {} wrong", wrong.len());
        assert!(right >= 31 && wrong.len() <= 2, "{right} right, {open} left open\n{}", wrong.join("\n"));
    }

    #[test]
    fn the_vocabulary_names_leaves_and_every_phrase_finds_its_own_place() {
        let mut wrong = Vec::new();
        for phrase in PHRASES.iter() {
            match place(phrase.category.class, phrase.text) {
                Some((key, _)) if key == phrase.category.key => {}
                other => wrong.push(format!("{} of {}: {other:?}", phrase.text, phrase.category.key)),
            }
        }
        assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), PHRASES.len(), wrong.join("\n"));
        assert!(PHRASES.len() > 500, "{}", PHRASES.len());
    }
}
