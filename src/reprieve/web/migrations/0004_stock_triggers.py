"""The drug log can only grow, whoever writes to it. The note alone can be written anew, as new keys ask for that."""

from django.db import migrations

COLUMNS = "id, uid, lot_id, kind, ml, session_id, reverses_id, by_id, witness_id, at"

SQLITE = f"""
CREATE TRIGGER stock_no_update BEFORE UPDATE OF {COLUMNS} ON web_stockentry
BEGIN SELECT RAISE(ABORT, 'the drug log cannot be changed'); END;
CREATE TRIGGER stock_no_delete BEFORE DELETE ON web_stockentry
BEGIN SELECT RAISE(ABORT, 'the drug log cannot be deleted'); END;
CREATE TRIGGER lot_no_update BEFORE UPDATE ON web_lot
BEGIN SELECT RAISE(ABORT, 'a lot of the drug log cannot be changed'); END;
CREATE TRIGGER lot_no_delete BEFORE DELETE ON web_lot
BEGIN SELECT RAISE(ABORT, 'a lot of the drug log cannot be deleted'); END;
"""

POSTGRESQL = f"""
CREATE FUNCTION stock_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION 'the drug log cannot be changed or deleted'; END $$;
CREATE TRIGGER stock_no_update BEFORE UPDATE OF {COLUMNS} ON web_stockentry
FOR EACH ROW EXECUTE FUNCTION stock_refuse();
CREATE TRIGGER stock_no_delete BEFORE DELETE ON web_stockentry FOR EACH ROW EXECUTE FUNCTION stock_refuse();
CREATE TRIGGER stock_no_truncate BEFORE TRUNCATE ON web_stockentry FOR EACH STATEMENT EXECUTE FUNCTION stock_refuse();
CREATE TRIGGER lot_no_update BEFORE UPDATE ON web_lot FOR EACH ROW EXECUTE FUNCTION stock_refuse();
CREATE TRIGGER lot_no_delete BEFORE DELETE ON web_lot FOR EACH ROW EXECUTE FUNCTION stock_refuse();
CREATE TRIGGER lot_no_truncate BEFORE TRUNCATE ON web_lot FOR EACH STATEMENT EXECUTE FUNCTION stock_refuse();
"""


def add_triggers(apps, schema_editor):
    """Create the triggers of this database."""
    with schema_editor.connection.cursor() as cursor:
        if schema_editor.connection.vendor == "postgresql":
            cursor.execute(POSTGRESQL)
        else:
            for statement in SQLITE.split("END;"):
                if statement.strip():
                    cursor.execute(statement + "END;")


class Migration(migrations.Migration):
    """Triggers on the tables of the drug log."""

    dependencies = [("web", "0003_treatment")]
    operations = [migrations.RunPython(add_triggers, migrations.RunPython.noop)]
