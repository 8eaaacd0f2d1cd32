"""The audit trail can only grow, one row after the other, whoever writes to it."""

from django.db import migrations

SQLITE = """
CREATE TRIGGER audit_no_update BEFORE UPDATE ON web_event
BEGIN SELECT RAISE(ABORT, 'the audit trail cannot be changed'); END;
CREATE TRIGGER audit_no_delete BEFORE DELETE ON web_event
BEGIN SELECT RAISE(ABORT, 'the audit trail cannot be deleted'); END;
CREATE TRIGGER audit_chain BEFORE INSERT ON web_event
WHEN NEW.previous <> COALESCE((SELECT hash FROM web_event ORDER BY id DESC LIMIT 1), '{genesis}')
BEGIN SELECT RAISE(ABORT, 'an audit row must follow the last one'); END;
"""

POSTGRESQL = """
CREATE FUNCTION audit_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION 'the audit trail cannot be changed or deleted'; END $$;
CREATE FUNCTION audit_follow() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.previous <> COALESCE((SELECT hash FROM web_event ORDER BY id DESC LIMIT 1), '{genesis}') THEN
    RAISE EXCEPTION 'an audit row must follow the last one';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER audit_no_change BEFORE UPDATE OR DELETE ON web_event FOR EACH ROW EXECUTE FUNCTION audit_refuse();
CREATE TRIGGER audit_no_truncate BEFORE TRUNCATE ON web_event FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse();
CREATE TRIGGER audit_chain BEFORE INSERT ON web_event FOR EACH ROW EXECUTE FUNCTION audit_follow();
"""


def add_triggers(apps, schema_editor):
    """Create the triggers of this database."""
    sql = POSTGRESQL if schema_editor.connection.vendor == "postgresql" else SQLITE
    genesis = "0" * 64
    with schema_editor.connection.cursor() as cursor:
        if schema_editor.connection.vendor == "postgresql":
            cursor.execute(sql.replace("{genesis}", genesis))
        else:
            for statement in sql.replace("{genesis}", genesis).split("END;"):
                if statement.strip():
                    cursor.execute(statement + "END;")


class Migration(migrations.Migration):
    """Triggers on the audit table."""

    dependencies = [("web", "0001_initial")]
    operations = [migrations.RunPython(add_triggers, migrations.RunPython.noop)]
