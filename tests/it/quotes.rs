//! Quotes on constructed sentences: every mark, every place of the cue, and what is not a quote.

use copydesk::article::{Article, ArticleId, Format};
use copydesk::model::{ArticleReading, Reader};
use copydesk::stages::quotes::{self, Quote, Source};
use copydesk::text::Segmented;
use serde_json::Value;

use crate::support;

/// Finds the quotes of `text` and compares `kind content ← source / cue` a quote; `^` is the source of the quote before.
#[track_caller]
fn check(text: &str, expected: &[&str]) {
    let found: Vec<String> = find(text).iter().map(|quote| render(text, quote)).collect();
    assert_eq!(found, expected, "in: {text}");
}

fn find(text: &str) -> Vec<Quote> {
    // By rule alone: what the reader changes has a test of its own.
    quotes::find(&article(text), &ArticleReading::default())
}

fn article(text: &str) -> Segmented {
    Segmented::new(Article {
        id: ArticleId::parse("urn:test").unwrap(),
        version: None,
        headline: None,
        text: text.to_owned(),
        declared_language: None,
        published: None,
        updated: None,
        embargoed_until: None,
        format: Format::Plain,
        source_map: None,
        n_unknown_fields: 0,
        warnings: Vec::new(),
    })
}

fn render(text: &str, quote: &Quote) -> String {
    let segments: Vec<&str> = quote.segments.iter().map(|segment| segment.of(text)).collect();
    let source = match quote.source {
        Source::Written(span) => span.of(text),
        Source::SameAsPrevious => "^",
        Source::Unstated => "?",
    };
    let cue = quote.cue.map_or("-", |cue| cue.of(text));
    format!("{} {} ← {source} / {cue}", quote.kind.as_str(), segments.join(" ¶ "))
}

#[test]
fn every_style_of_marks() {
    check("\"We go,\" Lee said.", &["direct \"We go,\" ← Lee / said"]);
    check("“We go,” Lee said.", &["direct “We go,” ← Lee / said"]);
    check("«We go», Lee said.", &["direct «We go» ← Lee / said"]);
    check("« We go », Lee said.", &["direct « We go » ← Lee / said"]);
    check("»We go«, Lee said.", &["direct »We go« ← Lee / said"]);
    check("„We go,“ Lee said.", &["direct „We go,“ ← Lee / said"]);
    check("„We go,” Lee said.", &["direct „We go,” ← Lee / said"]);
    check("‘We go,’ Lee said.", &["direct ‘We go,’ ← Lee / said"]);
    check("'We go,' Lee said.", &["direct 'We go,' ← Lee / said"]);
    check("‹We go›, Lee said.", &["direct ‹We go› ← Lee / said"]);
    check("``We go,'' Lee said.", &["direct ``We go,'' ← Lee / said"]);
    check("''We will go now,'' Lee said.", &["direct ''We will go now,'' ← Lee / said"]);
}

#[test]
fn marks_that_do_not_match() {
    check(
        "Lee demanded “a full and lasting peace“ in March.",
        &["direct “a full and lasting peace“ ← Lee / demanded"],
    );
    check("“We go,\" Lee said.", &["direct “We go,\" ← Lee / said"]);
    check(
        "\"We go,” Lee said. “We win,” he added.",
        &["direct \"We go,” ← Lee / said", "direct “We win,” ← he / added"],
    );
    check("Lee said, “We go and we stay.", &["direct “We go and we stay. ← Lee / said"]);
}

#[test]
fn nested_marks_are_part_of_the_outer_quotation() {
    check("“They said ‘go’ to us,” Lee said.", &["direct “They said ‘go’ to us,” ← Lee / said"]);
    check("‘They said “go” to us,’ Lee said.", &["direct ‘They said “go” to us,’ ← Lee / said"]);
    check(
        "\"He told me 'never again', and left,\" Ana Roy said.",
        &["direct \"He told me 'never again', and left,\" ← Ana Roy / said"],
    );
    check(
        "“I read “The Wall” twice,” Lee said.",
        &["direct “I read “The Wall” twice,” ← Lee / said"],
    );
}

#[test]
fn apostrophes_do_not_open_or_close() {
    check(
        "The workers' plan wasn't Lee's, the miners' union said.",
        &["indirect The workers' plan wasn't Lee's ← the miners' union / said"],
    );
    check(
        "'The workers' rights matter,' Lee said.",
        &["direct 'The workers' rights matter,' ← Lee / said"],
    );
    check(
        "‘It’s the players’ choice,’ Lee said.",
        &["direct ‘It’s the players’ choice,’ ← Lee / said"],
    );
    check("It was a hit of the '90s and of rock 'n' roll.", &[]);
}

#[test]
fn inches_and_feet_are_not_marks() {
    check(
        "“He is 6'2\" tall and fast,” Lee said.",
        &["direct “He is 6'2\" tall and fast,” ← Lee / said"],
    );
    check("The 5'10\" guard sat by a 12\" screen.", &[]);
}

#[test]
fn the_cue_stands_anywhere() {
    check("“We go,” said Mayor Ana Roy.", &["direct “We go,” ← Mayor Ana Roy / said"]);
    check("Mayor Ana Roy said: “We go.”", &["direct “We go.” ← Mayor Ana Roy / said"]);
    check("“We,” Roy said, “go.”", &["direct “We,” ← Roy / said", "direct “go.” ← Roy / said"]);
    check("“We,” said Roy, “go.”", &["direct “We,” ← Roy / said", "direct “go.” ← Roy / said"]);
    check("Said Ana Roy, “We go at dawn.”", &["direct “We go at dawn.” ← Ana Roy / Said"]);
    check(
        "“Why?” Roy asked. “Who knows!” she cried.",
        &["direct “Why?” ← Roy / asked", "direct “Who knows!” ← she / cried"],
    );
    check("“Why now?” Mayor Ana Roy said.", &["direct “Why now?” ← Mayor Ana Roy / said"]);
    check("Roy told reporters on Monday, “We go.”", &["direct “We go.” ← Roy / told"]);
    check(
        "Speaking to Channel 9, Roy said “we go at dawn.”",
        &["direct “we go at dawn.” ← Roy / said"],
    );
    check(
        "Roy said in a statement that “we go at dawn.”",
        &["direct “we go at dawn.” ← Roy / said"],
    );
    check(
        "“We go at dawn,” Roy told the Daily Post in an interview.",
        &["direct “We go at dawn,” ← Roy / told"],
    );
    check(
        "Roy said she was tired and added: “We go.”",
        &["indirect she was tired ← Roy / said", "direct “We go.” ← Roy / added"],
    );
}

#[test]
fn sources_keep_their_names_and_lose_their_clauses() {
    check(
        "Roy, a spokeswoman for the port, said the ship sank.",
        &["indirect the ship sank ← Roy / said"],
    );
    check("“We go,” said Ana Roy, who leads the port.", &["direct “We go,” ← Ana Roy / said"]);
    check(
        "The head of the port, Ana Roy, said the ship sank.",
        &["indirect the ship sank ← The head of the port, Ana Roy / said"],
    );
    check("Roy on Monday also said the ship sank.", &["indirect the ship sank ← Roy / said"]);
    check(
        "After the trial, Roy has repeatedly said that the ship sank.",
        &["indirect the ship sank ← Roy / said"],
    );
    check(
        "The storm passed, but officials in Salem said the ship sank.",
        &["indirect the ship sank ← officials in Salem / said"],
    );
    check("Roy came home and said the ship sank.", &["indirect the ship sank ← Roy / said"]);
    check(
        "The owner, who left in May, said the ship sank.",
        &["indirect the ship sank ← The owner / said"],
    );
}

#[test]
fn clauses_are_reported_without_marks() {
    check(
        "The ship sank near the coast, the navy said.",
        &["indirect The ship sank near the coast ← the navy / said"],
    );
    check(
        "According to the navy, the ship sank.",
        &["indirect the ship sank ← the navy / According to"],
    );
    check(
        "The ship sank on Monday, according to two officials.",
        &["indirect The ship sank on Monday ← two officials / according to"],
    );
    check(
        "The navy announced that the ship had sunk.",
        &["indirect the ship had sunk ← The navy / announced"],
    );
    check(
        "The navy announced the ship had sunk.",
        &["indirect the ship had sunk ← The navy / announced"],
    );
    check(
        "The navy told Reuters the ship was lost.",
        &["indirect the ship was lost ← The navy / told"],
    );
    check(
        "Roy warned residents that the river would rise.",
        &["indirect the river would rise ← Roy / warned"],
    );
    check(
        "Roy said the ship sank, adding that three men were safe.",
        &["indirect the ship sank ← Roy / said", "indirect three men were safe ← Roy / adding"],
    );
    check("It was reported that the ship sank.", &["indirect the ship sank ← ? / reported"]);
    check("Roy was told by Lee that the ship sank.", &["indirect the ship sank ← Lee / told"]);
    check("Lee was quoted as saying the ship sank.", &["indirect the ship sank ← Lee / saying"]);
}

#[test]
fn clauses_with_quoted_words_are_mixed() {
    check(
        "Lee said the talks were “a complete waste” of time.",
        &["mixed the talks were “a complete waste” of time ← Lee / said"],
    );
    check(
        "The envoy will travel to Rome to renew a “deep and old friendship” with Italy, the ministry said.",
        &[
            "mixed The envoy will travel to Rome to renew a “deep and old friendship” with Italy ← the ministry / said",
        ],
    );
    check(
        "Lee said he was “happy” and that it was “over.”",
        &["mixed he was “happy” and that it was “over.” ← Lee / said"],
    );
    check("The plan is “dead,” Lee said.", &["mixed The plan is “dead,” ← Lee / said"]);
}

#[test]
fn quoted_words_as_a_name_for_something_are_direct() {
    check(
        "Lee called the plan “a complete waste.”",
        &["direct “a complete waste.” ← Lee / called"],
    );
    check(
        "Lee described it as “shameful” and “cruel”.",
        &["direct “shameful” ← Lee / described", "direct “cruel” ← Lee / described"],
    );
    check(
        "Lee accused the mayor of “lying to the town.”",
        &["direct “lying to the town.” ← Lee / accused"],
    );
    check(
        "She was described as “a born leader” by the coach.",
        &["direct “a born leader” ← the coach / described"],
    );
    check(
        "Italy promised to build “a lasting peace” there.",
        &["direct “a lasting peace” ← Italy / promised"],
    );
}

#[test]
fn quotations_go_on_without_a_cue() {
    check(
        "“We go,” Lee said. “We win.”",
        &["direct “We go,” ← Lee / said", "direct “We win.” ← ^ / said"],
    );
    check(
        "“We go,” Lee said.\n“We win.”",
        &["direct “We go,” ← Lee / said", "direct “We win.” ← ^ / -"],
    );
    check("“We go.\n“We win,” Lee said.", &["direct “We go. ¶ “We win,” ← Lee / said"]);
    check(
        "Lee said: “We go.\n“We win.\n“We rest.”",
        &["direct “We go. ¶ “We win. ¶ “We rest.” ← Lee / said"],
    );
    check(
        "Ana Roy spoke for an hour. “We will win this.”",
        &["direct “We will win this.” ← Ana Roy / -"],
    );
}

#[test]
fn titles_nicknames_and_scare_quotes_are_not_quotes() {
    check("Dwayne “The Rock” Johnson came.", &[]);
    check("She sang “Dark Rivers Rising” and left.", &[]);
    check("The film “The Long Way Home” won.", &[]);
    check("The storm was nicknamed “Little Boy” in May.", &[]);
    check("The so-called “experts” left.", &[]);
    check("The “smart” city opened.", &[]);
    check("The term “fog of war” is old.", &[]);
    check("He is known as “the king of coal” there.", &[]);
}

#[test]
fn thoughts_refusals_and_objects_are_not_quotes() {
    check("Lee believes that the ship sank.", &[]);
    check("Lee refused to say the ship sank.", &[]);
    check("Lee did not say that the ship sank.", &[]);
    check("The navy announced a new plan for the coast.", &[]);
    check("The navy confirmed the debris on Monday.", &[]);
    check("The report was long.", &[]);
    check("The United States said nothing.", &[]);
}

#[test]
fn a_million_marks_are_linear() {
    let texts = [
        "\"a\" ".repeat(300_000),
        "“".repeat(300_000),
        "'\"“‘«".repeat(100_000),
        "“a?” he said ".repeat(50_000),
        "said ".repeat(200_000),
        "\"a,\" said Lee, ".repeat(50_000),
        "according to the “a” and ".repeat(50_000),
        "“a\n".repeat(200_000),
        "it's the workers' 'own' ".repeat(50_000),
    ];
    for text in texts {
        let started = std::time::Instant::now();
        for quote in find(&text) {
            assert!(quote.segments.iter().all(|segment| !segment.of(&text).is_empty()));
        }
        let elapsed = started.elapsed();
        assert!(elapsed.as_secs() < 60, "{elapsed:?} for {}…", text.get(..20).unwrap_or(""));
    }
}

/// Compares the name of each quote's speaker, or why nobody is named, in the published record.
#[track_caller]
fn check_speakers(text: &str, expected: &[&str]) {
    let value = serde_json::json!({ "id": "urn:test", "text": text }).to_string();
    let record: Value = serde_json::from_slice(&support::enrich(value.as_bytes())).unwrap();
    let name_of = |id: &Value| {
        let entities = record["entities"].as_array().unwrap();
        entities.iter().find(|entity| entity["id"] == *id).unwrap()["name"].as_str().unwrap()
    };
    let found: Vec<&str> = record["quotes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|quote| match &quote["speaker"]["entity"] {
            Value::Null => quote["unattributed"].as_str().unwrap(),
            id => name_of(id),
        })
        .collect();
    assert_eq!(found, expected, "in: {text}");
}

#[test]
fn names_speak_for_their_bearers() {
    check_speakers("“We go,” White House spokeswoman Mary Jones said.", &["Mary Jones"]);
    check_speakers("Mary Jones, the mayor of Boston, said the river rose.", &["Mary Jones"]);
    check_speakers("The mayor of Boston, Mary Jones, said the river rose.", &["Mary Jones"]);
    check_speakers("The U.S. envoy for Iran John Smith said the talks failed.", &["John Smith"]);
    check_speakers("The talks failed, the State Department said.", &["State Department"]);
    check_speakers("France said that it will leave the talks.", &["France"]);
}

#[test]
fn spokesmen_speak_for_their_organisation_and_lawyers_for_themselves() {
    check_speakers("A Microsoft spokesman said the site was down.", &["Microsoft"]);
    check_speakers("A spokeswoman for Microsoft said the site was down.", &["Microsoft"]);
    check_speakers("According to a Microsoft report, sales were down.", &["Microsoft"]);
    check_speakers("A lawyer for John Smith said the trial was over.", &["anonymous"]);
    check_speakers("John Smith’s lawyer said the trial was over.", &["anonymous"]);
    check_speakers("The leader of Microsoft said the site was down.", &["anonymous"]);
}

#[test]
fn groups_and_unknown_people_are_anonymous() {
    check_speakers("Officials said the river rose.", &["anonymous"]);
    check_speakers("U.S. officials said the river rose. They said it fell.", &["anonymous"; 2]);
    check_speakers("A woman told Reuters the river rose.", &["anonymous"]);
    check_speakers("It was reported that the river rose.", &["no_source"]);
}

#[test]
fn pronouns_and_titles_are_whoever_the_article_makes_them() {
    let first = "President John Smith met Mary Jones in Paris on Monday. ";
    check_speakers(&format!("{first}“We go,” he said."), &["John Smith"]);
    check_speakers(&format!("{first}“We go,” she said."), &["Mary Jones"]);
    check_speakers(&format!("{first}“We go,” the president said."), &["John Smith"]);
    check_speakers(&format!("{first}“We go,” the minister said."), &["anonymous"]);
    check_speakers("Mary Jones said the river rose. She said it fell.", &["Mary Jones"; 2]);
    check_speakers(
        "“We go,” Mary Jones said. “We win.”\n“We rest,” she added.",
        &["Mary Jones", "Mary Jones", "Mary Jones"],
    );
}

#[test]
fn two_who_fit_are_ambiguous() {
    check_speakers("John Smith’s and Paul Jones’s plans failed. “We go,” he said.", &["ambiguous"]);
}

#[test]
fn bodies_are_named_again_by_their_kind() {
    check_speakers(
        "The Supreme Court ruled on Monday. The court said the law was void.",
        &["Supreme Court"],
    );
    check_speakers("Microsoft was down. The company said it was sorry.", &["Microsoft"]);
    check_speakers("Japan was late. The Japanese government said it was sorry.", &["Japan"]);
}

/// Whatever the reader says, quotes keep their order, do not overlap, and go on with the quote that the rules meant.
#[test]
fn a_revision_keeps_order_and_references() {
    let Some(path) = support::data("samples/wikinews.jsonl") else { return };
    let reader = Reader::embedded();
    let lines = std::fs::read_to_string(path).unwrap();
    let (mut n_changed, mut n_going_on) = (0, 0);
    for line in lines.lines().step_by(8) {
        let record: serde_json::Value = serde_json::from_str(line).unwrap();
        let article = article(record["text"].as_str().unwrap());
        let by_rule = quotes::find(&article, &ArticleReading::default());
        let revised = quotes::find(&article, &reader.read_article(&article));
        n_changed += usize::from(by_rule != revised);
        assert!(revised.windows(2).all(|pair| pair[0].span().end <= pair[1].span().start));
        for (at, quote) in revised.iter().enumerate() {
            let before = by_rule.iter().position(|known| known == quote);
            if quote.source == Source::SameAsPrevious && before.is_some_and(|before| before > 0) {
                let meant = &by_rule[before.unwrap() - 1];
                assert!(revised[at - 1].span().overlaps(meant.span()), "{quote:?}");
                n_going_on += 1;
            }
        }
    }
    assert!(n_changed > 10 && n_going_on > 10, "{n_changed} {n_going_on}");
}
