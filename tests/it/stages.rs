//! Entities on constructed articles: what is named, of which kind, and which names are one thing.

use std::sync::LazyLock;

use copydesk::article::{Article, ArticleId, Field, Format};
use copydesk::knowledge::Knowledge;
use copydesk::model::Reader;
use copydesk::stages::entities::{self, Entity, Gender};
use copydesk::text::Segmented;

/// Finds the entities of `text` and compares `TYPE name = every mention after the first; roles` for each, values left out.
#[track_caller]
fn check(text: &str, expected: &[&str]) {
    let found: Vec<String> = names(&find(None, text)).map(|entity| render(text, entity)).collect();
    assert_eq!(found, expected, "in: {text}");
}

fn find(headline: Option<&str>, text: &str) -> Vec<Entity> {
    let article = Segmented::new(Article {
        id: ArticleId::parse("urn:test").unwrap(),
        version: None,
        headline: headline.map(str::to_owned),
        text: text.to_owned(),
        declared_language: None,
        published: None,
        updated: None,
        embargoed_until: None,
        format: Format::Plain,
        source_map: None,
        n_unknown_fields: 0,
        warnings: Vec::new(),
    });
    static READER: LazyLock<Reader> = LazyLock::new(Reader::embedded);
    let reading = READER.read_article(&article);
    entities::find(&article, &Knowledge::embedded(), &reading)
}

fn names(entities: &[Entity]) -> impl Iterator<Item = &Entity> {
    entities.iter().filter(|entity| !entity.kind.is_value())
}

fn render(text: &str, entity: &Entity) -> String {
    let in_text = entity.mentions.iter().filter(|mention| mention.field == Field::Text);
    let mentions: Vec<&str> = in_text.map(|mention| mention.span.of(text)).collect();
    let roles = if entity.roles.is_empty() {
        String::new()
    } else {
        format!("; {}", entity.roles.join(", "))
    };
    format!("{} {} = {}{roles}", entity.kind.as_str(), entity.name, mentions.join(" | "))
}

#[test]
fn a_name_is_alone_and_its_title_is_a_role() {
    check(
        "Secretary of State Ann Lee met Spanish leader Carlos Ruiz in Oslo. Mr. Ruiz praised Secretary Lee. Lee left.",
        &[
            "PERSON Ann Lee = Ann Lee | Lee | Lee; secretary of state, secretary",
            "NORP Spanish = Spanish",
            "PERSON Carlos Ruiz = Carlos Ruiz | Ruiz; leader",
            "GPE Oslo = Oslo",
        ],
    );
    check(
        "Vladimir Petrov, a senator from Omsk, and Maria Petrova, his spokeswoman, spoke. Petrov laughed; Petrova left.",
        &[
            "PERSON Vladimir Petrov = Vladimir Petrov | Petrov; senator",
            "GPE Omsk = Omsk",
            "PERSON Maria Petrova = Maria Petrova | Petrova; spokeswoman",
        ],
    );
}

#[test]
fn people_of_one_name_are_kept_apart() {
    check(
        "Ann Lee and her husband Tom Lee run the shop. Mr. Lee opened it in 1999; Ms. Lee paints.",
        &["PERSON Ann Lee = Ann Lee | Lee", "PERSON Tom Lee = Tom Lee | Lee"],
    );
    check(
        "North Korean leader Kim Yong-su met Anna Kim, US ambassador to Norway. Kim’s regime said nothing.",
        &[
            "NORP North Korean = North Korean",
            "PERSON Kim Yong-su = Kim Yong-su | Kim; leader",
            "PERSON Anna Kim = Anna Kim; ambassador",
            "GPE US = US",
            "GPE Norway = Norway",
        ],
    );
}

#[test]
fn one_thing_under_several_names_is_one_entity() {
    check(
        "The Federal Harbour Service (FHS) closed the port. FHS officers left.",
        &["ORG Federal Harbour Service = Federal Harbour Service | FHS | FHS"],
    );
    check(
        "The United States and Japan agreed. The U.S. had asked. US officials, Japanese officials and Americans cheered.",
        &[
            "GPE United States = United States | U.S. | US",
            "GPE Japan = Japan",
            "NORP Japanese = Japanese",
            "NORP Americans = Americans",
        ],
    );
    check(
        "Google Inc. said on Tuesday it had bought Terramap. Terramap Ltd. is in Leeds.",
        &[
            "ORG Google Inc. = Google Inc.",
            "ORG Terramap Ltd. = Terramap | Terramap Ltd.",
            "GPE Leeds = Leeds",
        ],
    );
}

#[test]
fn kinds_follow_heads_and_context() {
    check(
        "LISBON — Visitors from the University of Texas saw Lake Victoria, the Eiffel Tower and the Thames.",
        &[
            "GPE LISBON = LISBON",
            "ORG University of Texas = University of Texas",
            "LOC Lake Victoria = Lake Victoria",
            "FAC Eiffel Tower = Eiffel Tower",
            "LOC Thames = Thames",
        ],
    );
    check(
        "Hurricane Nora hit Cuba on Monday. Nora moved north. Havana Mayor Luis Ortega said so.",
        &[
            "EVENT Hurricane Nora = Hurricane Nora | Nora",
            "GPE Cuba = Cuba",
            "GPE Havana = Havana",
            "PERSON Luis Ortega = Luis Ortega; mayor",
        ],
    );
    check(
        "Police in Paris arrested Paris Hilton. Paris was calm, and Hilton was freed.",
        &["GPE Paris = Paris | Paris", "PERSON Paris Hilton = Paris Hilton | Hilton"],
    );
}

#[test]
fn what_is_no_name_is_none() {
    check("He left. After that, nobody spoke. I’m sure they will return on Monday, May 5.", &[]);
    check("“Why?” she asked. Nobody knew.", &[]);
}

#[test]
fn values_are_entities_of_their_own() {
    let text = "It cost $5 million on Monday, June 4, 2018. Sales rose 12% that Monday.";
    let found = find(None, text);
    let values: Vec<(&str, &str)> =
        found.iter().map(|entity| (entity.kind.as_str(), entity.name.as_str())).collect();
    assert_eq!(
        values,
        [
            ("MONEY", "$5 million"),
            ("DATE", "Monday, June 4, 2018"),
            ("PERCENT", "12%"),
            ("DATE", "Monday"),
        ]
    );
}

#[test]
fn a_headline_weighs_more_and_shares_its_entities() {
    let headline = "Petrov Warns of Storm";
    let entities = find(Some(headline), "Ivan Petrov, the mayor, spoke in Omsk. Omsk was quiet.");
    let mayor = &entities[0];
    assert_eq!(mayor.name, "Ivan Petrov");
    assert_eq!(mayor.mentions[0].field, Field::Headline);
    assert_eq!(mayor.mentions[0].span.of(headline), "Petrov");
    assert_eq!(mayor.gender, Some(Gender::Male));
    assert!(entities.iter().all(|entity| entity.salience <= mayor.salience));
}

#[test]
fn ids_are_given_only_without_doubt() {
    let ids = |text: &str| -> Vec<(String, Option<String>)> {
        names(&find(None, text)).map(|e| (e.name.clone(), e.wikidata.clone())).collect()
    };
    let id = |name: &str, id: Option<&str>| (name.to_owned(), id.map(str::to_owned));
    assert_eq!(
        ids("Theresa May of the United Kingdom came to Boston in the United States."),
        [
            id("Theresa May", Some("Q264766")),
            id("United Kingdom", Some("Q145")),
            id("Boston", Some("Q100")),
            id("United States", Some("Q30"))
        ]
    );
    // More than one Springfield, more than one country with a senate, and a surname alone.
    assert_eq!(
        ids("The Senate heard Macron speak about Springfield."),
        [id("Senate", None), id("Macron", None), id("Springfield", None)]
    );
}

/// Every name of `names` is found in `text`, as written there, whatever the kind.
#[track_caller]
fn check_found(text: &str, names: &[&str]) {
    let entities = find(None, text);
    let mentions: Vec<&str> = entities
        .iter()
        .filter(|entity| !entity.kind.is_value())
        .flat_map(|entity| entity.mentions.iter().map(|mention| mention.span.of(text)))
        .collect();
    for name in names {
        assert!(mentions.contains(name), "{name:?} is not among {mentions:?}");
    }
}

#[test]
fn names_are_found_however_the_text_is_written() {
    check_found(
        "FRENCH PRESIDENT EMMANUEL MACRON MEETS ANGELA MERKEL IN BERLIN",
        &["EMMANUEL MACRON", "ANGELA MERKEL", "BERLIN"],
    );
    check_found(
        "Emmanuel Macron To Meet Angela Merkel In Berlin Over Bank Rescue",
        &["Emmanuel Macron", "Angela Merkel", "Berlin"],
    );
    check_found(
        "The US-led force met anti-Brexit marchers and Israeli-Palestinian teams.",
        &["US", "Israeli", "Palestinian"],
    );
    check_found(
        "😀 Emmanuel Macron 🇫🇷 met Angela Merkel 🎉 in Berlin.",
        &["Emmanuel Macron", "Angela Merkel", "Berlin"],
    );
    check_found(
        "Emmanuel Macron rnet Angela Merkel in Berlin , the paper sald .",
        &["Emmanuel Macron", "Angela Merkel", "Berlin"],
    );
    let long = format!(
        "{} and Angela Merkel of Berlin stayed.",
        "the men who came and went and came again ".repeat(400)
    );
    check_found(&long, &["Angela Merkel", "Berlin"]);
}

#[test]
fn a_megabyte_of_names_is_read_within_bounds() {
    let text = "Ann Lee of Oslo met Bob Ray of Acme Corp. in Bergen. ".repeat(20_000);
    let entities = find(None, &text);
    assert!(
        entities.iter().any(|entity| entity.name == "Ann Lee" && entity.mentions.len() > 10_000)
    );
}
