//! The day that `strftime_now` tells, as Python's strftime in the C locale. It is midnight: rows depend on no hour.

use minijinja::{Error, ErrorKind};

const MONTHS: [&str; 12] = [
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December",
];
const DAYS: [&str; 7] = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];

#[derive(Clone, Copy)]
pub struct Date {
    year: i64,
    month: usize, // from 1
    day: usize,   // from 1
}

fn days_in(year: i64, month: usize) -> usize {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

impl Date {
    /// From 2026-01-31.
    pub fn parse(text: &str) -> Option<Self> {
        let is_plain = text.len() == 10 && text.bytes().enumerate().all(|(i, byte)| if i == 4 || i == 7 { byte == b'-' } else { byte.is_ascii_digit() });
        if !is_plain {
            return None;
        }
        let date = Date { year: text[..4].parse().ok()?, month: text[5..7].parse().ok()?, day: text[8..].parse().ok()? };
        let is_real = date.year > 0 && (1..=12).contains(&date.month) && (1..=days_in(date.year, date.month)).contains(&date.day);
        is_real.then_some(date)
    }

    fn day_of_year(self) -> usize {
        (1..self.month).map(|month| days_in(self.year, month)).sum::<usize>() + self.day
    }

    /// 0: Monday. 1 January of the year 1 was one.
    fn weekday(self) -> usize {
        let before = self.year - 1;
        let days = before * 365 + before / 4 - before / 100 + before / 400 + self.day_of_year() as i64 - 1;
        (days % 7) as usize
    }
}

fn field(date: Date, letter: char) -> Option<String> {
    let (month, weekday) = (MONTHS[date.month - 1], DAYS[date.weekday()]);
    Some(match letter {
        'Y' => date.year.to_string(),
        'y' => format!("{:02}", date.year % 100),
        'm' => format!("{:02}", date.month),
        'd' => format!("{:02}", date.day),
        'e' => format!("{:2}", date.day),
        'B' => month.to_string(),
        'b' | 'h' => month[..3].to_string(),
        'A' => weekday.to_string(),
        'a' => weekday[..3].to_string(),
        'j' => format!("{:03}", date.day_of_year()),
        'u' => (weekday_number(date)).to_string(),
        'w' => (weekday_number(date) % 7).to_string(),
        'F' => format!("{:04}-{:02}-{:02}", date.year, date.month, date.day),
        'D' | 'x' => format!("{:02}/{:02}/{:02}", date.month, date.day, date.year % 100),
        'H' | 'M' | 'S' => "00".to_string(),
        'I' => "12".to_string(),
        'p' => "AM".to_string(),
        'T' | 'X' => "00:00:00".to_string(),
        'R' => "00:00".to_string(),
        'f' => "000000".to_string(),
        '%' => "%".to_string(),
        _ => return None,
    })
}

fn weekday_number(date: Date) -> usize {
    date.weekday() + 1
}

pub fn format(format: &str, date: Date) -> Result<String, Error> {
    let mut out = String::new();
    let mut rest = format.chars();
    while let Some(character) = rest.next() {
        if character != '%' {
            out.push(character);
            continue;
        }
        let mut letter = rest.next();
        let unpadded = letter == Some('-');
        if unpadded {
            letter = rest.next();
        }
        let told = letter.and_then(|letter| field(date, letter)).ok_or_else(|| {
            let name = letter.map(String::from).unwrap_or_default();
            Error::new(ErrorKind::InvalidOperation, format!("strftime_now: %{name} is not built"))
        })?;
        let trimmed = told.trim_start_matches(['0', ' ']);
        out.push_str(if unpadded && !trimmed.is_empty() { trimmed } else { &told });
    }
    Ok(out)
}
