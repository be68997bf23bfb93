//! Revenue, expenses and profit by month, drawn on the server as SVG.
use askama::Template;
use domain::money::Amount;

const WIDTH: i64 = 960;
const HEIGHT: i64 = 220;
/// Room below the bars for the names of the months, and above them.
const FOOT: i64 = 26;
const HEAD: i64 = 10;

/// One month: places in the drawing, and its figures in words.
pub struct Group {
    pub label: String,
    pub words: String,
    pub center: i64,
    pub left: i64,
    pub width: i64,
    pub revenue: Bar,
    pub expenses: Bar,
    pub profit_y: i64,
}

pub struct Bar {
    pub x: i64,
    pub y: i64,
    pub height: i64,
}

#[derive(Template)]
#[template(path = "parts/chart.html")]
pub struct Bars {
    pub groups: Vec<Group>,
    pub bar_width: i64,
    pub zero: i64,
    /// The profit line: `x,y x,y`.
    pub line: String,
    pub summary: String,
}

impl askama::filters::HtmlSafe for Bars {}

impl Bars {
    /// One label, revenue, expense and profit for each month; amounts positive in their own sense.
    pub fn new(labels: &[String], revenue: &[Amount], expenses: &[Amount], profit: &[Amount]) -> Bars {
        let all = || revenue.iter().chain(expenses).chain(profit).map(|amount| amount.0);
        let (highest, lowest) = (all().max().unwrap_or(0).max(0), all().min().unwrap_or(0).min(0));
        let span = i128::from((highest - lowest).max(1));
        let room = HEIGHT - FOOT - HEAD;
        let y = |amount: i64| HEAD + i64::try_from(i128::from(highest - amount) * i128::from(room) / span).unwrap_or(room);
        let zero = y(0);
        let step = WIDTH / i64::try_from(labels.len().max(1)).unwrap_or(1);
        let bar_width = (step / 4).clamp(3, 26);
        let bar = |x: i64, amount: Amount| Bar { x, y: y(amount.0.max(0)), height: (y(amount.0) - zero).abs() };
        let groups: Vec<Group> = labels
            .iter()
            .enumerate()
            .map(|(at, label)| {
                let left = step * i64::try_from(at).unwrap_or(0);
                let center = left + step / 2;
                let of = |amounts: &[Amount]| amounts.get(at).copied().unwrap_or_default();
                Group {
                    label: label.clone(),
                    words: format!(
                        "{label}: revenue {}, expenses {}, profit {}",
                        of(revenue).grouped(),
                        of(expenses).grouped(),
                        of(profit).grouped()
                    ),
                    center,
                    left,
                    width: step,
                    revenue: bar(center - bar_width - 1, of(revenue)),
                    expenses: bar(center + 1, of(expenses)),
                    profit_y: y(of(profit).0),
                }
            })
            .collect();
        let line = groups.iter().map(|group| format!("{},{}", group.center, group.profit_y)).collect::<Vec<_>>().join(" ");
        let sum = |amounts: &[Amount]| amounts.iter().copied().sum::<Amount>().grouped();
        let summary = format!("Revenue {}, expenses {}, profit {}", sum(revenue), sum(expenses), sum(profit));
        Bars { groups, bar_width, zero, line, summary }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_stand_on_zero_and_losses_hang_below_it() {
        let labels: Vec<String> = ["Jan 2026", "Feb 2026"].map(str::to_owned).into();
        let bars = Bars::new(&labels, &[Amount(1_000_000), Amount(0)], &[Amount(400_000), Amount(500_000)], &[Amount(600_000), Amount(-500_000)]);
        let (january, february) = (&bars.groups[0], &bars.groups[1]);
        assert_eq!(january.revenue.y, HEAD, "the highest amount reaches the top");
        assert_eq!(january.revenue.y + january.revenue.height, bars.zero);
        assert_eq!(february.revenue.height, 0);
        assert!(february.profit_y > bars.zero && february.profit_y <= HEIGHT - FOOT);
        assert!(january.words.contains("revenue 100.00, expenses 40.00, profit 60.00"), "{}", january.words);
    }

    #[test]
    fn nothing_at_all_is_drawn_without_a_panic() {
        let bars = Bars::new(&[], &[], &[], &[]);
        assert!(bars.groups.is_empty() && bars.line.is_empty());
        let flat = Bars::new(&["Jan 2026".to_owned()], &[Amount::ZERO], &[Amount::ZERO], &[Amount::ZERO]);
        assert_eq!(flat.groups[0].revenue.height, 0);
    }
}
