"""The evaluation in rooms: material, systems, cache, scores, tables, figures, report. The command is train.evaluate."""
