"""What stands under the tables of music and duets: how to read them, and which of their numbers to distrust."""

MUSIC = (
    "F is strict: onsets and beats are matched one to one within 70 ms. It is shown as value (chance) calibrated, "
    "where 0 is chance and 1 is perfect, with 95 % intervals over captured clips. The first four columns compare the "
    "onsets of the music: with those of the music that the motion was paired with, with the motion's kinematic beats "
    "(hits), with its kinematic onsets, and with the beat that it was warped onto. The next compares beats tracked in"
    " the music with that beat. Many onsets match anything by chance, and no music matches everything: the row real "
    "shows what can be reached. Tempo is the share of scores at the pair's tempo, its half or its double, within 4 % "
    "(chance 11.5). FAD-latent is not FAD. It is the distance to training music in the latents of {judge}, over sets "
    "of similar size; lower is better. It ranks the rows of this table only, where real is equally little unseen "
    "music."
)
DIFFERENCES = (
    "The mean difference over captured clips, each compared with itself, and its 95 % bootstrap interval. Below zero "
    "the model is ahead. Where the interval holds zero, these clips cannot tell the two apart."
)
MOMU_2 = (
    "Saturated. Every second is one bin, which is 1 where an onset is. The music is compared with the music of the "
    "pair. Any two songs have an onset in nearly every second, so chance and unrelated music score as the models do. "
    "It only serves to compare with papers; the strict F above is the honest figure. Real is compared with itself and"
    " is 100."
)
MOMU_7 = (
    "Both halves of a model that was also asked to dance. Music F1 is in LORIS bins (saturated), against the music of"
    " the pair; a duet has no such music and is compared with the onsets of its dance. Motion F1 is within 100 ms, "
    "against the onsets of the music. Our distances and the papers' belong to different spaces: FAD-latent is not "
    "FAD."
)
TEMPO = (
    "Held-out dances, played at a speed that puts their beats at exactly this tempo. Found in the dance is the pulse "
    "that the model hears; where it is wrong, the music is not to blame. Heard in the music is the tempo tracked in "
    "the sound. It is a hit at the tempo itself, its half or its double, within 4 %: by chance {chance:.1f} % of the "
    "time."
)
DECODING = (
    "Held-out songs, turned into log-mels and back, with 95 % intervals over songs: the mean difference of log-mels "
    "in nepers, F of onsets within 50 ms against the original's, and log-spectral distance with spectral convergence."
    " No score of the model can sound better than the row with autoencoder."
)
DUETS = (
    "Strict F within 70 ms of the dance's hits against the beats heard in the music, with its 95 % interval over "
    "duets, and against the music's onsets. BAS (b) is value (chance) calibrated. BCS to F1 follow MoMu's form for "
    "dances: kinematic onsets against the music's within 100 ms, where a dance that arrives on beats scores below "
    "chance. Swapped rows set the same dances to the music of the next duet, where nothing should be left. A dance is"
    " moved onto the beat a little after it was made (beat snap). The sweep below does without that."
)
DUET_QUALITY = (
    "Dances are compared with training motion capture, music with training music. Distances grow as windows and "
    "patches get fewer, so compare rows with similar numbers of them. Compare also with real pairs: so few unseen "
    "ones come no nearer. Dances differ by the mean distance of their joints, music by that of its mean latents. "
    "Noise counts as variety too."
)
SWITCH = (
    "Above the switch both are sampled unconditionally; below it each is conditioned on the other's estimate. Best is"
    " the highest calibrated F of hits on beats. Not told apart are those whose paired difference to the best holds "
    "zero. Without beat snap. Independent shows what two unrelated samples of one model score."
)
