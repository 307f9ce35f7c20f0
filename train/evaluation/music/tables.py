"""The report's tables of music and duets, laid out as the papers'."""

from __future__ import annotations

from train.evaluation.dance.measures import look_up
from train.evaluation.dance.systems import REAL
from train.evaluation.dance.tables import NONE, Table, calibrated, differences_of, number

# Published values stand beside ours for orientation; they were measured on other data.
MOMU_2 = (("Foley", 96.4, 6.9, 41.0, 15.0, 57.5), ("CMT", 97.1, 6.4, 46.2, 18.6, 62.6))
MOMU_2 += (("D2MGAN", 95.6, 9.4, 88.7, 19.0, 93.1), ("CDCD", 96.5, 9.1, 89.3, 18.1, 92.7))
MOMU_2 += (("LORIS", 98.6, 6.1, 90.8, 13.9, 94.5), ("MoMu-Diffusion", 97.5, 5.2, 98.6, 2.8, 98.1))
MOMU_7 = (("cross", 8.9, 98.1, 7.3, 46.2), ("joint", 8.1, 96.5, 8.8, 45.4), ("joint, any length", 9.1, 97.6, 8.5, 49.6))
MOMU_10 = ((0.9, 14.8, 82.4, 17.3, 25.8), (0.7, 10.9, 95.9, 9.7, 37.8), (0.5, 8.1, 96.5, 8.8, 45.4))
MOMU_10 += ((0.3, 7.5, 90.4, 9.0, 42.1), (0.1, 8.0, 85.5, 9.5, 32.6))
COVERAGE = ("bcs", "csd", "bhs", "hsd", "f1")


def everything(report: dict) -> list[Table]:
    """All tables of music, in the order of the report; none where nobody played."""
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


def _between(row: dict, path: str) -> str:
    known = look_up(row, "intervals") or {}
    sure = known.get(path)
    return NONE if sure is None or sure["low"] is None else f"{sure['low']:.2f} … {sure['high']:.2f}"


def _percent(value: float | None) -> str:
    return NONE if value is None else number(100 * value, 1)


def main_table(found: dict) -> Table:
    """What to look at first: strict agreement with the real music, the motion and the beat, and distance."""
    rows = []
    for name, row in found["systems"].items():
        against = NONE if name == REAL else calibrated(row, "scores.f_reference")
        sure = NONE if name == REAL else _between(row, "f_reference.calibrated")
        rows.append(
            (
                name,
                against,
                sure,
                *(calibrated(row, f"scores.{key}") for key in ("f_hits", "f_onsets", "f_grid", "f_beats_grid")),
                _between(row, "f_beats_grid.calibrated"),
                _percent(look_up(row, "scores.tempo.any")),
                number(look_up(row, "fad.fad_latent")),
                number(look_up(row, "scores.onsets"), 0),
            )
        )
    note = (
        "Strict F within 70 ms, one to one: value (chance) calibrated, 0 is chance and 1 perfect, and 95 % intervals "
        "over captured clips. Onsets of the music against those of the music the motion was paired with, against the "
        "motion's hits and its onsets, against the beat it was warped onto; then beats tracked in the music against "
        "that beat. Many onsets match anything by chance, and none of them all: compare with real, whose row says what "
        "can be had. Tempo: share of musics at the pair's tempo, its half or double within 4 % (chance 11.5). "
        f"FAD-latent, which is not FAD: distance to training music in the latents of {found['judge']}, lower is "
        "better, over sets of like size; real is unseen music of that little. It ranks rows of this table alone."
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
    return Table("Music from motion", note, headers, tuple(rows))


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
    note = (
        "Mean difference over captured clips, each compared with itself, and its 95 % bootstrap interval; below zero "
        "the model is ahead. An interval that holds zero says that the clips do not tell the two apart."
    )
    return differences_of(found, paths, f"Music against {found['compared_with']}", note, "+.2f")


def momu_2(found: dict) -> Table:
    """MoMu-Diffusion table 2: LORIS's scores, in percent, with what says that they mean little."""
    rows = []
    for name, row in found["systems"].items():
        score = look_up(row, "scores.loris_reference")
        rows.append((name, *(_percent(score[key]) for key in COVERAGE), _percent(score["f1_chance"])))
    rows += [(f"{name} (paper, AIST++)", *(number(v, 1) for v in more), NONE) for name, *more in MOMU_2]
    note = (
        "Saturated. One bin a second, 1 where an onset is; music against the music of the pair. Any two musics have "
        "an onset in nearly every second, so chance and unrelated music score as the models do: for comparison with "
        "papers alone. The strict F above is the honest one. Real is itself, and so 100."
    )
    headers = ("system", *(key.upper() for key in COVERAGE), "F1 by chance")
    return Table("As MoMu table 2: motion to music (LORIS bins, saturated)", note, headers, tuple(rows), len(MOMU_2))


def momu_7(report: dict) -> Table:
    """MoMu-Diffusion table 7, #5 to #7: both directions, and both at once."""
    found, rows = report["music"], []
    for name, row in found.get("systems", {}).items():
        dance = report["systems"].get(name, {})
        paths = ("embedding.fid", "frechet.fid_k")
        rows.append(
            (
                name,
                number(look_up(row, "fad.fad_latent")),
                _percent(look_up(row, "scores.loris_reference.f1")),
                *(number(look_up(dance, path), 1) for path in paths),
                _percent(look_up(dance, "beats.momu_music_onsets.f1")),
            )
        )
    for name, row in found.get("duets", {}).items():
        rows.append((f"duet: {name}", *_quality(row)))
    rows += [
        (f"MoMu-Diffusion, {name} (paper)", f"FAD {number(fad, 1)}", number(f1, 1), number(fid, 1), NONE, number(f, 1))
        for name, fad, f1, fid, f in MOMU_7
    ]
    note = (
        "Of a model that was also asked to dance, both halves. Music F1 in LORIS bins (saturated), against the music "
        "of the pair; of a duet, which has none, against the onsets of its dance. Motion F1 within 100 ms against the "
        "music's onsets. Our distances and the papers' are of different spaces: FAD-latent is no FAD."
    )
    headers = ("system", "music FAD-latent", "music F1", "motion FID", "motion FID k", "motion F1")
    return Table("As MoMu tables 7 and 10: both ways and both at once", note, headers, tuple(rows), len(MOMU_7))


def _quality(row: dict) -> tuple[str, ...]:
    return (
        number(look_up(row, "fad.fad_latent")),
        _percent(look_up(row, "beats.loris_music_onsets.f1")),
        number(look_up(row, "embedding.fid"), 1),
        number(look_up(row, "frechet.fid_k"), 1),
        _percent(look_up(row, "beats.momu_music_onsets.f1")),
    )


def tempo_table(found: dict) -> Table | None:
    """Dances played at exact tempos, and the tempo of what comes back."""
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
    note = (
        "Held-out dances played so fast that their beats come exactly so often. Found: the pulse that the model hears "
        "in the dance; a wrong one is no fault of the music. Heard: tracked in the sound. Hit: the tempo itself, its "
        f"half or its double within 4 %; by chance {100 * found['tempo']['chance']:.1f} % of the time."
    )
    headers = ("dance", "tempo", "as captured", "found in the dance", "heard in the music", "hit")
    return Table("Tempo: what comes back", note, headers, tuple(rows)) if rows else None


def decoding_table(found: dict) -> Table | None:
    """What the decoder loses, by itself and after the autoencoder."""
    rows = []
    for model, ways in found["decoding"].items():
        for way, known in ways.items():
            cells = (known.get(path) for path in ("mel_l1", "onset_f", "spectra"))
            rows.append((f"{model}: {way}", *(_mean(cell) for cell in cells)))
    note = (
        "Held-out songs as log-mels and back, with 95 % intervals over songs: mean difference of log-mels in nepers, "
        "F of onsets within 50 ms against the original's own, log-spectral distance with spectral convergence. No "
        "music of the model can sound better than the row with autoencoder."
    )
    headers = ("decoder", "mel L1", "onset F", "spectra")
    return Table("What decoding costs", note, headers, tuple(rows)) if rows else None


def _mean(known: dict | None) -> str:
    if known is None:
        return NONE
    wide = "" if known["low"] is None else f" [{known['low']:.2f}, {known['high']:.2f}]"
    return f"{known['mean']:.3f}{wide}"


def duet_table(found: dict) -> Table:
    """How dance and music of duets agree, in the papers' words and strictly."""
    rows = []
    for name, row in found["duets"].items():
        momu = look_up(row, "beats.momu_music_onsets")
        rows.append(
            (
                name,
                calibrated(row, "beats.f_hits_70ms"),
                _between(row, "beats.f_hits_70ms.calibrated"),
                calibrated(row, "music.f_hits"),
                calibrated(row, "beats.bas_bailando"),
                *(_percent(momu[key]) for key in COVERAGE),
                _percent(momu["f1_chance"]),
            )
        )
    note = (
        "Strict F within 70 ms of the dance's hits against the beats heard in the music, with its 95 % interval over "
        "duets, and against the music's onsets; BAS (b): value (chance) calibrated. BCS to F1 in MoMu's form "
        "for dances: its onsets against the music's within 100 ms, where a dance that arrives on beats scores "
        "below chance. Swapped: the same dances, each to the music of the next duet, where nothing should be left. "
        "A dance is carried onto the beat a little after it was made (beat snap); the sweep below does without."
    )
    headers = ("duets", "hits, beats", "95 %", "hits, onsets", "BAS (b)", *(k.upper() for k in COVERAGE))
    return Table("Dance and music at once", note, (*headers, "F1 by chance"), tuple(rows))


def duet_quality(found: dict) -> Table:
    """Whether both halves are like real ones, and how varied."""
    paths = {
        "frechet.fid_k": "FID k",
        "frechet.fid_g": "FID g",
        "frechet.dist_k": "Dist k",
        "frechet.dist_g": "Dist g",
        "frechet.windows": "windows",
        "variety.poses": "dances differ by, m",
        "fad.fad_latent": "FAD-latent",
        "fad.variety": "musics differ by",
        "fad.patches": "patches",
    }
    rows = [
        (name, *(number(look_up(row, path)) for path in paths)) for name, row in found["duets"].items() if "fad" in row
    ]
    note = (
        "Dances against training capture, music against training music. Distances grow as windows and patches get "
        "fewer: compare rows of like numbers, and with real pairs, which are as near as unseen ones of that little "
        "come. Dances differ by the mean distance of their joints, musics by that of their mean latents; noise "
        "is variety too."
    )
    return Table("Duets: quality and variety", note, ("duets", *paths.values()), tuple(rows))


def switch_table(found: dict) -> Table:
    """MoMu-Diffusion table 10: where unconditional steps end and cross-guidance begins."""
    rows = []
    for row in found["rows"]:
        mark = " (not told apart)" if row["switch"] in found["tied"] else ""
        mark = " (best)" if row["switch"] == found["best"] else mark
        title = "never told" if row["switch"] == 0 else f"{row['switch']:g} T{mark}"
        agreement = calibrated(row, "beats.f_hits_70ms"), _between(row, "beats.f_hits_70ms.calibrated")
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
    note = (
        "Above the switch both are made unconditionally, below it each is told the other's estimate. Best: the highest "
        "calibrated F of hits on beats; not told apart: those whose paired difference to it holds zero. Without beat "
        "snap. Never told: what two strangers of one model score."
    )
    headers = ("switch", "hits, beats", "95 %", "hits, onsets", "music FAD-latent", "music F1", "motion FID")
    headers += ("motion FID k", "motion F1")
    return Table("As MoMu table 10: the switch to cross-guidance", note, headers, tuple(rows), len(MOMU_10))
