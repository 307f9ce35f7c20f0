"""The report's tables of music and duets, laid out like those of the papers. Their notes are in ``notes``."""

from __future__ import annotations

from train.evaluation.dance.measures import look_up
from train.evaluation.dance.momu import COVERAGE
from train.evaluation.dance.systems import REAL
from train.evaluation.dance.tables import differences_of
from train.evaluation.layout import Table
from train.evaluation.music import notes
from train.evaluation.values import NONE, calibrated, interval, mean_with_interval, number, percent

# Published values stand beside ours for orientation. They were measured on other data.
MOMU_2 = (
    ("Foley", 96.4, 6.9, 41.0, 15.0, 57.5),
    ("CMT", 97.1, 6.4, 46.2, 18.6, 62.6),
    ("D2MGAN", 95.6, 9.4, 88.7, 19.0, 93.1),
    ("CDCD", 96.5, 9.1, 89.3, 18.1, 92.7),
    ("LORIS", 98.6, 6.1, 90.8, 13.9, 94.5),
    ("MoMu-Diffusion", 97.5, 5.2, 98.6, 2.8, 98.1),
)  # BCS, CSD, BHS, HSD, F1
MOMU_7 = (
    ("cross", 8.9, 98.1, 7.3, 46.2),
    ("joint", 8.1, 96.5, 8.8, 45.4),
    ("joint, any length", 9.1, 97.6, 8.5, 49.6),
)  # FAD, music F1, motion FID, motion F1
MOMU_10 = (
    (0.9, 14.8, 82.4, 17.3, 25.8),
    (0.7, 10.9, 95.9, 9.7, 37.8),
    (0.5, 8.1, 96.5, 8.8, 45.4),
    (0.3, 7.5, 90.4, 9.0, 42.1),
    (0.1, 8.0, 85.5, 9.5, 32.6),
)  # switch, and then as MOMU_7


def everything(report: dict) -> list[Table]:
    """All tables of music in the order of the report. There are none when nobody played."""
    found = report.get("music")
    if found is None:
        return []
    shown = []
    if "systems" in found:
        shown += [main_table(found), differences(found), momu_2(found), tempo_table(found), decoding_table(found)]
    if "duets" in found:
        shown += [duet_table(found), duet_quality(found)]
    if found.get("switch", {}).get("rows"):
        shown.append(switch_table(found["switch"]))
    return [*(table for table in shown if table is not None), momu_7(report)]


def console(report: dict) -> list[Table]:
    """What the command prints."""
    found = report.get("music", {})
    shown = [main_table(found)] if "systems" in found else []
    return shown + ([duet_table(found)] if "duets" in found else [])


def main_table(found: dict) -> Table:
    """The overview: strict agreement with the real music, the motion and the beat, and distance."""
    rows = []
    for name, row in found["systems"].items():
        against = NONE if name == REAL else calibrated(row, "scores.f_reference")
        sure = NONE if name == REAL else interval(row, "f_reference.calibrated")
        rows.append(
            (
                name,
                against,
                sure,
                *(calibrated(row, f"scores.{key}") for key in ("f_hits", "f_onsets", "f_grid", "f_beats_grid")),
                interval(row, "f_beats_grid.calibrated"),
                percent(look_up(row, "scores.tempo.any")),
                number(look_up(row, "fad.fad_latent")),
                number(look_up(row, "scores.onsets"), 0),
            )
        )
    headers = (
        "system",
        "onsets, real music's",
        "95 %",
        "onsets, hits",
        "onsets, motion's",
        "onsets, beat",
        "beats, beat",
        "95 %",
        "tempo %",
        "FAD-latent",
        "onsets a clip",
    )
    return Table("Music from motion", notes.MUSIC.format(judge=found["judge"]), headers, tuple(rows))


def differences(found: dict) -> Table | None:
    """Paired differences to the first model."""
    paths = {
        "f_reference.calibrated": "onsets, real music's",
        "f_hits.calibrated": "onsets, hits",
        "f_grid.calibrated": "onsets, beat",
        "f_beats_grid.calibrated": "beats, beat",
        "f_beats_hits.calibrated": "beats, hits",
        "tempo.any": "tempo",
    }
    return differences_of(found, paths, f"Music against {found['compared_with']}", notes.DIFFERENCES, "+.2f")


def momu_2(found: dict) -> Table:
    """MoMu-Diffusion table 2: the metrics of LORIS in percent, with a note that they mean little."""
    rows = []
    for name, row in found["systems"].items():
        score = look_up(row, "scores.loris_reference")
        rows.append((name, *(percent(score[key]) for key in COVERAGE), percent(score["f1_chance"])))
    rows += [(f"{name} (paper, AIST++)", *(number(v, 1) for v in more), NONE) for name, *more in MOMU_2]
    headers = ("system", *(key.upper() for key in COVERAGE), "F1 by chance")
    return Table(
        "As MoMu table 2: motion to music (LORIS bins, saturated)", notes.MOMU_2, headers, tuple(rows), len(MOMU_2)
    )


def momu_7(report: dict) -> Table:
    """MoMu-Diffusion table 7, rows 5 to 7: both directions, and both at once."""
    found, rows = report["music"], []
    for name, row in found.get("systems", {}).items():
        dance = report["systems"].get(name, {})
        paths = ("embedding.fid", "frechet.fid_k")
        rows.append(
            (
                name,
                number(look_up(row, "fad.fad_latent")),
                percent(look_up(row, "scores.loris_reference.f1")),
                *(number(look_up(dance, path), 1) for path in paths),
                percent(look_up(dance, "beats.momu_music_onsets.f1")),
            )
        )
    for name, row in found.get("duets", {}).items():
        rows.append((f"duet: {name}", *_quality(row)))
    rows += [
        (f"MoMu-Diffusion, {name} (paper)", f"FAD {number(fad, 1)}", number(f1, 1), number(fid, 1), NONE, number(f, 1))
        for name, fad, f1, fid, f in MOMU_7
    ]
    headers = ("system", "music FAD-latent", "music F1", "motion FID", "motion FID k", "motion F1")
    return Table("As MoMu tables 7 and 10: both ways and both at once", notes.MOMU_7, headers, tuple(rows), len(MOMU_7))


def _quality(row: dict) -> tuple[str, ...]:
    return (
        number(look_up(row, "fad.fad_latent")),
        percent(look_up(row, "beats.loris_music_onsets.f1")),
        number(look_up(row, "embedding.fid"), 1),
        number(look_up(row, "frechet.fid_k"), 1),
        percent(look_up(row, "beats.momu_music_onsets.f1")),
    )


def tempo_table(found: dict) -> Table | None:
    """Dances played at exact tempos, and the tempo of the music that they get."""
    rows = []
    for model, dances in found["tempo"]["dances"].items():
        for row in dances:
            octave = next((word for word in ("same", "half", "double") if row["agrees"][word]), "no")
            shown = (f"{row[key]:.1f}" for key in ("was", "pulse", "heard"))
            rows.append((f"{model}: {row['scene']}", f"{row['tempo']:g}", *shown, octave))
        right = sum(row["agrees"]["any"] for row in dances)
        if dances:
            share = f"{right:.0f} of {len(dances)}"
            rows.append((f"{model}: all", NONE, NONE, NONE, NONE, share))
    headers = ("dance", "tempo", "as captured", "found in the dance", "heard in the music", "hit")
    return (
        Table("Tempo: what comes back", notes.TEMPO.format(chance=100 * found["tempo"]["chance"]), headers, tuple(rows))
        if rows
        else None
    )


def decoding_table(found: dict) -> Table | None:
    """What the decoder loses, alone and after the autoencoder."""
    rows = []
    for model, ways in found["decoding"].items():
        for way, known in ways.items():
            cells = (known.get(path) for path in ("mel_l1", "onset_f", "spectra"))
            rows.append((f"{model}: {way}", *(mean_with_interval(cell) for cell in cells)))
    headers = ("decoder", "mel L1", "onset F", "spectra")
    return Table("What decoding costs", notes.DECODING, headers, tuple(rows)) if rows else None


def duet_table(found: dict) -> Table:
    """How dance and music of duets agree, by the papers' metrics and strictly."""
    rows = []
    for name, row in found["duets"].items():
        momu = look_up(row, "beats.momu_music_onsets")
        rows.append(
            (
                name,
                calibrated(row, "beats.f_hits_70ms"),
                interval(row, "beats.f_hits_70ms.calibrated"),
                calibrated(row, "music.f_hits"),
                calibrated(row, "beats.bas_bailando"),
                *(percent(momu[key]) for key in COVERAGE),
                percent(momu["f1_chance"]),
            )
        )
    headers = ("duets", "hits, beats", "95 %", "hits, onsets", "BAS (b)", *(k.upper() for k in COVERAGE))
    return Table("Dance and music at once", notes.DUETS, (*headers, "F1 by chance"), tuple(rows))


def duet_quality(found: dict) -> Table:
    """Whether both halves are like real ones, and how much they vary."""
    paths = {
        "frechet.fid_k": "FID k",
        "frechet.fid_g": "FID g",
        "frechet.dist_k": "Dist k",
        "frechet.dist_g": "Dist g",
        "frechet.windows": "windows",
        "variety.poses": "dances differ by, m",
        "fad.fad_latent": "FAD-latent",
        "fad.variety": "music differs by",
        "fad.patches": "patches",
    }
    rows = [
        (name, *(number(look_up(row, path)) for path in paths)) for name, row in found["duets"].items() if "fad" in row
    ]
    return Table("Duets: quality and variety", notes.DUET_QUALITY, ("duets", *paths.values()), tuple(rows))


def switch_table(found: dict) -> Table:
    """MoMu-Diffusion table 10: where unconditional steps end and each half starts to guide the other."""
    rows = []
    for row in found["rows"]:
        mark = " (not told apart)" if row["switch"] in found["tied"] else ""
        mark = " (best)" if row["switch"] == found["best"] else mark
        title = "independent" if row["switch"] == 0 else f"{row['switch']:g} T{mark}"
        agreement = calibrated(row, "beats.f_hits_70ms"), interval(row, "beats.f_hits_70ms.calibrated")
        rows.append((title, *agreement, calibrated(row, "music.f_hits"), *_quality(row)))
    rows += [
        (
            f"{value:g} T (paper)",
            *[NONE] * 3,
            f"FAD {number(fad, 1)}",
            number(f1, 1),
            number(fid, 1),
            NONE,
            number(f, 1),
        )
        for value, fad, f1, fid, f in MOMU_10
    ]
    headers = ("switch", "hits, beats", "95 %", "hits, onsets", "music FAD-latent", "music F1", "motion FID")
    headers += ("motion FID k", "motion F1")
    return Table("As MoMu table 10: the switch to cross-guidance", notes.SWITCH, headers, tuple(rows), len(MOMU_10))
