"""What stands under the tables of dances: how to read them, and which of their numbers to distrust."""

OVERVIEW = (
    "Measured at {fps:g} frames a second. BAS (b) is shown as value (chance) calibrated, followed by the 95 % "
    "interval of its calibrated mean over songs. The next three columns are calibrated: 0 is chance, 1 is perfect. "
    "Other song compares the same dances with the beats of another song, where nothing should be left. Skating, jerk "
    "and speed are multiples of held-out motion capture as it was recorded, before any warp. A body that slows down "
    "on every beat scores well on BAS, so compare with the row slowing."
)
DIFFERENCES = (
    "The mean difference over songs, each song compared with itself, and its 95 % bootstrap interval. Where the "
    "interval holds zero, these songs cannot tell the two systems apart. FID k, FID g and diversity (of whole dances, "
    "in the classifier's embedding) belong to a whole set of dances: the difference is that of the whole sets, and its "
    "interval is from sets of songs drawn with replacement, the same for all systems. Drawn sets repeat songs, which "
    "raises every FID and lowers every diversity; only their spread is used."
)
BEATS = (
    "Every cell is value (chance) calibrated. BAS is measured at 60 frames a second with a sigma of 3 frames. Chance "
    "is the same dance against the same beats, shifted at random. F matches one to one, so that moving more often "
    "does not raise it. Hits are kinematic beats, the moments when the body arrives."
)
MOMU_5 = (
    "Kinematic onsets (peaks of the directogram's change) are matched one to one with librosa's onsets of the sound, "
    "within 100 ms. The paper does not state its tolerance, so compare with the last column. An onset is where a "
    "movement starts. A body that arrives on beats starts between them and scores below chance here. So does captured"
    " dance that was warped onto beats. Real pairs keep no sound, so they have no row."
)
MOMU_5_HITS = (
    "The same score for what a dancer would call the beat: hits, when the body arrives, are matched with tracked beats."
)
LORIS = (
    "Every second is one bin (LORIS). This score saturates: a metronome at the wrong tempo reaches 100, and so does "
    "chance. It only serves to compare with older papers."
)
MOMU_6 = (
    "FID, diversity and KLD use the embedding of a genre classifier of this data ({classifier}). Compare them within "
    "this table only. FID k and g use the kinetic and geometric features of AIST++. Everything is measured against "
    "training motion capture. A Fréchet distance grows as windows get fewer, so compare rows with similar numbers of "
    "them. Compare also with held-out motion capture: unseen dance of so few windows comes no nearer. Diversity is of "
    "whole dances: the distance between the mean embeddings of two of them. It falls with their length, so takes that "
    "are shorter than dances look more diverse. Diversity of windows does not fall. Both have their multiple of "
    "training motion capture's beside them. Jitter raises every diversity."
)
CLASSIFIER = "balanced accuracy {accuracy:.2f} on {takes} held-out takes, chance {chance:.2f}"
NO_CLASSIFIER = "none was given: --classifier"
AIST_5 = (
    "A subset of AIST++, not the paper's test set: {takes} held-out takes, {seconds:.0f} s in all, where the paper has "
    "a twentieth of 1,881 clips of 25 s, drawn at random. Systems dance to the music of a take for as long as it "
    "lasts; in the rows that say so, in the take's style where they have it. The recordings cannot be had freely. "
    "Unless the data was prepared with them, the music was rendered at the take's tempo, with its beats known. 2-D is "
    "the front view of 14 joints at 60 frames a second, projected from our bodies without perspective; the paper's "
    "poses were detected in videos. 3-D is the whole body. Kinematic onsets are matched with librosa's onsets of the "
    "sound within 100 ms, a tolerance that the paper does not state. So compare with chance and with motion capture of "
    "the same takes. Hits are arrivals, matched with the known beats. The interval of F1 is over takes."
)
AIST_6 = (
    "The same takes, in 3-D alone, because our classifier of genres sees bodies ({classifier}). The paper's is trained "
    "on other dances, so compare rows of ours only. FID and diversity are against training motion capture of AIST++. "
    "KLD is between a take's capture and the dance to its music, and beside it between other takes' captures and that "
    "dance: where both are alike, the dance has nothing of its take. For the captures themselves KLD is 0."
)
COPYING = (
    "For every two seconds of a dance, the mean joint distance in cm to the nearest two seconds of training motion "
    "capture: the median, the 5th percentile, and the smallest with its clip. A dance that is nearer than held-out "
    "motion capture is copied rather than learned. Retrieval copies by design; its distance is what the warp, the "
    "joins and the finish change."
)
COPYING_BY_STYLE = (
    "The median and, in brackets, the 5th percentile of the same distances, of dances in each style and of its "
    "held-out motion capture. Styles differ, so only the same style compares; the mean counts each style once."
)
THEATRE_2 = (
    "This BAS wants peaks of energy at strong beats; it is shown as value (chance) calibrated. The other BAS want the"
    " opposite, the slowest moment there, so a dance that arrives on the beat is below chance here. The paper gives "
    "no formula for MS and VoA: compare ours with the row real and not with the paper. MS rewards standing still. "
    "Energy on beats is 1 where energy does not depend on beats."
)
FORM = (
    "Whether a dance does more where its song is louder. Sections are two bars (8 beats) long, or four seconds where "
    "there are no beats. Spearman's rank correlation of their mean loudness and mean joint speed is computed within "
    "each dance: 1 if louder sections are always livelier, 0 if loudness says nothing. Shown are means over songs with "
    "95 % intervals; chance is the same dance against the loudness of other songs. A form is followed where the "
    "interval above chance is above zero. A dance of 30 s has four to seven sections, so the intervals are wide: more "
    "seeds and a greater --seconds help. Real are val pairs and their own music, which was chosen for its like energy, "
    "so they are above chance by choice as well; pairs of fewer than three sections do not count."
)
PHYSICS = (
    "Means over seconds, and in brackets as multiples of held-out motion capture before any warp. Less is not better:"
    " a body that stands still has no jerk and no skating. Zero wrong bends only show that the joint limits work."
)
PHYSICS_BY_GENRE = (
    "Every cell is value (x val motion capture / x all motion capture of the genre). The seconds of both references "
    "stand beside the genre. The row below shows the 5th and the 95th percentile of all its ten-second windows, and !"
    " marks a value outside of that range. The first multiple often rests on a single clip, so trust the second."
)
FOOTWORK = (
    "Means over seconds, and in brackets as multiples of all motion capture, of its genre where there is one. Steps"
    " are stretches of 0.1 s or more in which an ankle is faster than 0.5 m/s. Still is the share of one-second windows"
    " in which neither ankle gets 5 cm away. Travel is that of the pelvis over the floor. Ranges of the pelvis' height"
    " and of the knees' bend lie between the 10th and the 90th percentile. Frozen is the share of planted feet's frames"
    " in which they move less than 1 mm at 30 fps. Facing away is the share of frames in which the chest is turned more"
    " than 90 degrees from the front: a dance's audience, and what a recorder calls the front. Hands in trunk is that"
    " in which a hand or a forearm is inside the trunk or a thigh. Of these two less is better for an audience. Of the"
    " rest neither more nor less is better than the capture's."
)
FOOTWORK_BY_GENRE = (
    "As above, with multiples of all motion capture of the genre, which stands below. ! marks what is unlike it: "
    "steps, travel and ranges outside {least:g} to {most:g} times the capture's, a share of still windows more than "
    "{still:g} above the capture's, more than {frozen:g} of planted feet's frames frozen, and skating above "
    "{skating:g} times the capture's. The last column counts the marks."
)
FOOTWORK_OF_ONE = "See core/metrics/footwork.py for the definitions. Compare with capture of the same style."
TOLD = (
    "The share of a style's windows of four seconds that the style classifier takes for that style, as the mean over "
    "dances to different songs with its 95 % interval, and the same of held-out takes of motion capture, which the "
    "classifier has not seen. Compare with the capture: a style that is not told even there cannot be judged, and one "
    "or two takes judge little. A dance in a style that is told better than its capture is closer to the style's mean "
    "than a dancer is. The mean is over the styles that are judged in a column. Chance is one of all classes."
)
TAKEN_FOR = "The classes that a style's windows are taken for most, with their shares. Its own should come first."
ONE_PAIR = "{seconds:.1f} s at {fps:g} fps, {beats} beats, {hits} hits"
