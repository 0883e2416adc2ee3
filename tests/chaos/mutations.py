"""What `--mutation` breaks, from outside: triggers in the database. A battery that stays green with
one of them proves nothing about it. Which rows go red stands in README.md.
"""


def trigger(table, when, body):
    return (f"CREATE FUNCTION chaos_mutate() RETURNS trigger LANGUAGE plpgsql AS $$ "
            f"BEGIN {body} END $$",
            f"CREATE TRIGGER chaos_mutate {when} ON {table} FOR EACH ROW "
            "EXECUTE FUNCTION chaos_mutate()")


MUTATIONS = {
    # Entries of the outbox get lost.
    "outbox": trigger("outbox", "BEFORE INSERT",
                      "IF random() < 0.3 THEN RETURN NULL; END IF; RETURN NEW;"),
    # A promise is forgotten as soon as it is given: whoever asks next is promised the same.
    "promises": trigger("promises", "AFTER INSERT",
                        "DELETE FROM promises WHERE epoch = NEW.epoch; RETURN NULL;"),
    # The driver is said to have all of the card free.
    "samples": trigger("gpus", "BEFORE INSERT OR UPDATE",
                       "NEW.sample := jsonb_set(NEW.sample::jsonb, '{free}', "
                       "NEW.sample::jsonb -> 'total')::text; RETURN NEW;"),
    # Each run teaches that it took next to nothing.
    "profiles": trigger("workflow_profiles", "BEFORE INSERT OR UPDATE",
                        "NEW.log_mean := -2; NEW.log_maximum := -2; NEW.log_variance := 0; "
                        "RETURN NEW;"),
    # A dead worker's promise outlives its lease.
    "leases": trigger("promises", "BEFORE INSERT OR UPDATE",
                      "NEW.expires_at := NEW.expires_at + 60000000; RETURN NEW;"),
}
