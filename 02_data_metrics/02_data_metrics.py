# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
# ---

# %% [markdown]
# # Stage 2: Data and metrics, first sitting: the data
#
# A robot stands in a public lobby. When a visitor near it looks angry, it should notice and back off. Stage 1
# settled what that means; here you collect, label, check, split and feed the faces it will learn from.
#
# The questions follow *The ML Design Interview*, the article this course is built on: its stage 2 asks eight
# about data, and each has a section below. Ten exercises, about 90 minutes for the eight core ones.
#
# **How it works.** Write your answer where it says `...`, then run the check below it. Every check draws fresh
# data, runs your answer on it and says in words what came of it; try as often as you like. What your code prints
# while it is tried stands under the verdict: `print(table.head())` shows you what it was given. Stuck?
# `stage.hint("data_sheet")` gives the next of three hints, `stage.solution("data_sheet")` opens once you pass.
#
# **What a label means here.** A face shows an *expression*, not a feeling. People scowl when they concentrate,
# and most anger comes without a scowl (Barrett et al. 2019, *Psychological Science in the Public Interest*
# 20:1). So "angry" always means: *annotators under our written guideline would say angry*.

# %%
import numpy as np
import pandas as pd

from autograder import Stage
from course import datasets, plots, portfolio, widgets

stage = Stage("02_data_metrics")

# %% [markdown]
# ## Recall: three numbers from stage 1
#
# Say your answers aloud before you open the box. All three come back below.
#
# 1. In one visit of a hundred a person looks angry. Of the *frames* that the camera takes, is the share larger
#    or smaller?
# 2. An angry visitor whom the robot misses costs € 4, backing off without need € 0.25. From which probability
#    of anger should it back off?
# 3. Who is in view of the robot, but must stay out of the data?
#
# <details><summary>Answers</summary>
#
# 1. Smaller, 0.3 %: the visit lasts about 20 seconds, the anger in it about 6.
# 2. From 0.25 / (0.25 + 4) = 0.059. The 0.5 that libraries use as a default would be eight times too high.
# 3. The receptionist and everyone else at work there. Inferring workers' emotions is prohibited in the European
#    Union (AI Act, Regulation (EU) 2024/1689, Article 5(1)(f)), apart from medical and safety reasons.
#
# </details>

# %% [markdown]
# ## Before you are taught anything: would you believe this number?
#
# Here is what twelve weeks in four lobbies have brought. The tables are what a team finds in its store: nothing
# has been cleaned. (With `COURSE_DATA` set to a folder with FER2013, FER+ or labelled pictures, the same cells
# run on those.)

# %%
lobby = datasets.real_data_or_default()
faces, votes, images = lobby.faces, lobby.votes, lobby.images
faces.head()

# %% [markdown]
# A colleague has already trained a first detector: 100 trees on tiny pictures of 16 × 16 pixels. One face in
# four was drawn at random for testing.

# %%
from sklearn.ensemble import ExtraTreesClassifier
from sklearn.metrics import average_precision_score
from sklearn.model_selection import train_test_split

decided = faces[faces["label"] != "unsure"]
pixels = images[decided.index, ::3, ::3].reshape(len(decided), -1)
angry = (decided["label"] == "angry").to_numpy()


# %% demo=true
def score(train, test):
    """Average precision on test rows: 1 is perfect, guessing gives the share of anger."""
    trees = ExtraTreesClassifier(100, random_state=0).fit(pixels[train], angry[train])
    return average_precision_score(angry[test], trees.predict_proba(pixels[test])[:, 1])


colleague = score(*train_test_split(range(len(angry)), test_size=0.25, random_state=0))
print(f"colleague's average precision: {colleague:.2f}   (guessing: {angry.mean():.2f})")

# %% [markdown]
# Next month the robot meets people it has never seen. Go on record: you will see in section 2.7 who was right.

# %% demo=true
stage.predict(
    "believe",
    f"The colleague's test gives {colleague:.2f}. What will people give whom it never saw?",
    ["about the same", "a little less", "about half or less"],
)

# %% [markdown]
# ## 2.1 What does our data look like?
#
# Before any model: *look*. Thirty faces at random, with what was recorded for each.

# %% demo=true
shown = faces.sample(30, random_state=3)
counts = shown["label"].value_counts()
told = ", ".join(f"{n} {label}" for label, n in counts.items())
plots.mosaic(
    images[shown.index],
    f"Thirty faces at random; recorded: {told}.",
    shown["label"].tolist(),
)

# %% [markdown]
# A random look shows what is common. Faults are rare, so they need a program that looks at *every* face: pictures
# saved twice, a camera that hangs, damaged files, a file name that gives the answer away, and one person who is
# half of "the data". Each of them makes a later score too good, or a model too stupid, without any error message.

# %% demo=true
stage.predict(
    "largest",
    f"{faces['person'].nunique()} people share {len(faces):,} faces. How many has the one with the most?",
    ["about 10, like everybody", "about 30", "more than 60"],
)

# %% demo=true
per_person = faces["person"].value_counts()
most = per_person.max()
stage.reveal(
    "largest",
    "about 10, like everybody"
    if most < 20
    else "about 30"
    if most <= 60
    else "more than 60",
)
print(f"most: {most} faces, median: {per_person.median():g}")

# %% [markdown]
# **Exercise: a data sheet.** The function gets a collection like this one, always a fresh one with other faults.
# A fault that you miss counts, and so does a healthy face that you accuse.

# %% answer="data_sheet"

# %% check="data_sheet"
stage.check("data_sheet", find_faults)

# %% [markdown]
# **What was seen.** A copy need not be equal byte by byte: saved again it is brighter, shifted or coarser, and
# only a *distance* finds it. But frames of a burst are alike too, and are no fault. What you call a duplicate
# decides later which side of the split it may stand on.

# %% [markdown]
# ## 2.2 How should the data be structured?
#
# The robot writes one wide row per face, with the votes as text in a single field. It is easy to write and
# painful to ask anything of.

# %% demo=true
datasets.raw_table(lobby).head(3).T

# %% [markdown]
# The exercise gets the same in its rawest form: one row per *vote*, every cell a text. Think of the questions
# that will be asked of these data in a year: how many votes under the new guideline? Which
# annotator never says angry? And one that *must* work: a visitor withdraws consent, and everything about them
# has to go, crops and votes included (the right to erasure, Article 17 of the GDPR, Regulation (EU) 2016/679).
#
# **Exercise: five tables.** One fact in one place, linked by keys.

# %% answer="structure"

# %% check="structure"
stage.check("structure", build)

# %% [markdown]
# **What was seen.** Votes kept one by one, with the guideline they were cast under, can be counted again under
# any later rule. A label that was stored instead of its votes cannot. And "unsure" is a finding about the face,
# not a shy "calm".

# %% [markdown]
# ## 2.3 How do we label?
#
# Nobody can look up the truth about a face: people are asked, and they differ. First see *what they react to*.
# Move the action units (what the muscles of a face do, as the Facial Action Coding System numbers it) and watch
# at which point others would say angry. Try *brows lowered* alone, then with *lips pressed*, then with *lip
# corners up*; then switch the guideline.

# %% demo=true
widgets.move_action_units()

# %% [markdown]
# Without moving anything, the same in pictures and words:

# %% demo=true
widgets.static_action_units()

# %% [markdown]
# Now be an annotator yourself. Thirty faces, three buttons; at the end you see how far you agree with the crowd.
# Nothing leaves this notebook.

# %% demo=true
widgets.label_faces(lobby)

# %% [markdown]
# The same faces on one page, numbered; `widgets.describe_labelling(lobby)` tells them in words.

# %% demo=true
widgets.static_labelling(lobby)

# %% [markdown]
# It is tempting to ask one person per face: three times as many faces for the same money.

# %% demo=true
stage.predict(
    "one_vote",
    "One annotator says angry. For how many of 100 such faces do most others agree?",
    ["about 90", "about 65", "about 40"],
)

# %% demo=true
says_angry = votes["vote"] == "angry"
per_face = says_angry.groupby(votes["face"])
others = (per_face.transform("sum") - says_angry) / (per_face.transform("size") - 1)
confirmed = (others[says_angry] > 0.5).mean()
stage.reveal(
    "one_vote",
    f"about {min((90, 65, 40), key=lambda option: abs(option - 100 * confirmed))}",
)
print(f"here: {confirmed:.0%}")

# %% [markdown]
# On photographs it is hardly good enough either: in FER+ (ten votes on each of 35,887 faces, Barsoum et al.
# 2016, arXiv 1608.01041) the majority of the other nine confirms 56 % of single angry votes. More votes help, but they cost
# € 0.08 each, and what an error costs depends on its kind.
#
# The second half of the exercise asks what the label may *claim*. Three things are easily taken for one: what a
# person *felt*, what the face *showed*, and what others *perceived*.
#
# **Exercise: a rule and a claim.**

# %% answer="label_rule"

# %% check="label_rule"
stage.check("label_rule", label_rule, claim)

# %% [markdown]
# **What was seen.** Annotators can agree perfectly and all be wrong about the feeling: agreement measures whether
# a label can be *repeated*, validity whether it *means* what you say. Write the narrow claim into your problem
# statement: "annotators under guideline v2 would say angry".

# %% [markdown]
# ## 2.4 What kind of variety do we need?
#
# Of the angry faces of each site, how many does the colleague's detector find? It is set loose enough (a score of
# 0.2 or more counts as angry) to find something everywhere. A recall without an interval is a rumour: look how
# many angry faces stand behind each bar.

# %% demo=true
from scipy.stats import binomtest
from sklearn.model_selection import GroupKFold, cross_val_predict

trees = ExtraTreesClassifier(100, random_state=0)
folds = GroupKFold(4)
out_of_fold = cross_val_predict(
    trees, pixels, angry, groups=decided["person"], cv=folds, method="predict_proba"
)
found = out_of_fold[:, 1] >= 0.2

# %% demo=true
by_site = decided.assign(found=found)[angry].groupby("site")["found"].agg(["sum", "size"])
ends = [
    binomtest(k, n).proportion_ci(method="wilson")
    for k, n in by_site.itertuples(index=False)
]
recall = by_site["sum"] / by_site["size"]
recall.index = [f"{site} ({n} angry)" for site, n in by_site["size"].items()]
low, high = zip(*ends, strict=True)
plots.bars(recall, "recall by site, with 95 % intervals", low=low, high=high)

# %% [markdown]
# More data is not the same as more *variety*. Two thousand further faces from the easiest site change little
# where the robot fails. But the site that fails worst is not always the one that more data can help: a lens full
# of dirt stays dirty.
#
# **Exercise: where to collect the next 2,000.** Each table you get lists cameras: faces so far, recall with its
# interval, and the recall of a model trained on half of them. Judged by what the worst camera reaches afterwards.

# %% answer="variety"

# %% check="variety"
stage.check("variety", collect)

# %% [markdown]
# **What was seen.** Data go where three things meet: need, effect, and enough evidence to know both. Ask in a
# design review for all three, slice by slice, before anyone orders more recordings.

# %% [markdown]
# ## 2.5 How do we check label quality?
#
# Two annotators who are each right 95 times in 100 label the same faces. How far do they agree, once what chance
# alone gives is subtracted?

# %% demo=true
stage.predict(
    "paradox",
    "They move from a balanced set (half angry) to the lobby (5 % angry). Their kappa...",
    ["stays at about 0.8", "rises", "falls to about 0.45"],
)

# %% demo=true
share = pd.Index([0.5, 0.4, 0.3, 0.2, 0.1, 0.05, 0.02])
says = 0.95 * share + 0.05 * (1 - share)
agree, by_chance = 0.95**2 + 0.05**2, says**2 + (1 - says) ** 2
table = pd.DataFrame(
    {"raw agreement": agree, "Cohen's kappa": (agree - by_chance) / (1 - by_chance)},
    index=share,
)
stage.reveal("paradox", "falls to about 0.45")
plots.lines(
    table,
    "share of angry faces",
    "agreement of two annotators",
    f"Raw agreement is {agree:.3f} at every share of angry faces; kappa falls from"
    f" {table.iloc[0, 1]:.2f} at one half to {table.iloc[-2, 1]:.2f} at 5 %.",
)

# %% [markdown]
# Nobody became careless: where anger is rare, most of the agreement is what two people who never look would reach
# as well. So never compare kappas across data sets without the share of each label beside them.
#
# In practice votes are also *missing*: not everybody saw every face. Krippendorff's alpha copes with that.
#
# **Exercise: agreement beyond chance.**

# %% answer="agreement"

# %% check="agreement"
stage.check("agreement", agreement)

# %% [markdown]
# What does it say about the lobby? (Runs once your answer works.)

# %%
wide = votes.pivot_table(index="face", columns="annotator", values="vote", aggfunc="first")
alpha = agreement(wide)
print("your alpha for the lobby:", "no answer yet" if alpha is None else f"{alpha:.2f}")

# %% [markdown]
# **Extra exercise: which annotators?** Disagreement need not mean a careless annotator, and a careless one need not
# disagree: on rare anger, somebody who always says "calm" agrees with everyone. Dawid and Skene (1979) estimate
# the labels and each annotator's confusions together, each from the other.

# %% answer="annotators"

# %% check="annotators"
stage.check("annotators", dawid_skene)

# %% [markdown]
# **Extra exercise: which labels?** Now from the other side: a model that has never seen a face can say which of
# the recorded labels surprise it (the idea behind *confident learning*, Northcutt et al. 2021).

# %% answer="bad_labels"

# %% check="bad_labels"
stage.check("bad_labels", suspects)

# %% [markdown]
# **What was seen.** Three views of the same labels: of all votes together, of the people who cast them, of the
# faces they were cast on. An ambiguous face is none of these faults: it is a fact about faces, worth keeping as a
# share of votes rather than forcing into a class.

# %% [markdown]
# ## 2.6 How can we improve the labeling process?
#
# The money for labels is spent once. It can buy more votes on the faces people disagree about; better annotators;
# or an hour of someone who rewrites the guideline, so that all votes mean the same.

# %% demo=true
stage.predict(
    "improve",
    "Annotators often call concentrating faces angry. What helps most for the same money?",
    [
        "two more votes on every doubtful face",
        "a sentence in the guideline",
        "it makes no difference",
    ],
)

# %% [markdown]
# **Exercise: spend the budget.** Judged by the labels that you get for it, on pilots in which the guideline is at
# fault and on pilots in which it is not.

# %% answer="relabel"

# %% check="relabel"
stage.check("relabel", plan)

# %% demo=true
stage.reveal("improve", "a sentence in the guideline")

# %% [markdown]
# **What was seen.** Votes cancel what differs from person to person. What all of them do in the same way, they
# repeat, however many you pay. And the faces with the most disagreement are often those on which no amount of
# votes will ever settle anything.

# %% [markdown]
# ## 2.7 How do we split our data?
#
# Back to the number you were asked to believe. The same model, the same faces: three random splits, and three
# in which all faces of a person stand on the same side. (A bar is the mean of its three splits, the whisker
# reaches from the lowest to the highest.)

# %% demo=true
from sklearn.model_selection import GroupShuffleSplit, ShuffleSplit

people = decided["person"]
at_random = ShuffleSplit(3, test_size=0.25, random_state=0).split(pixels)
by_person = GroupShuffleSplit(3, test_size=0.25, random_state=0).split(
    pixels, angry, people
)
scores = pd.DataFrame(
    {
        "random faces": [score(*rows) for rows in at_random],
        "whole people": [score(*rows) for rows in by_person],
    }
)
means = scores.mean()

# %% demo=true
left = means["whole people"] / means["random faces"]
truth = (
    "about half or less"
    if left < 0.6
    else "a little less"
    if left < 0.9
    else "about the same"
)
stage.reveal("believe", truth)
plots.bars(means, "average precision", low=scores.min(), high=scores.max())

# %% [markdown]
# The trees had learned *who* is in the picture: a burst holds up to five frames of one person in one light, and a
# random split puts some of them on either side. A split is a promise about the future: other people, other
# cameras, later weeks. Whatever the future will not share with today must not be shared between the parts.
#
# **Exercise: train, validation, test.**

# %% answer="split"

# %% check="split"
stage.check("split", split)

# %% [markdown]
# **What was seen.** Grouping keeps people apart, the cut in time keeps the future apart, the camera that is held
# back tests what the next robot will meet, and validation with the same share of anger makes thresholds
# comparable. Duplicates have to go *before* the split: afterwards, their twins are already on the other side.

# %% [markdown]
# ## 2.8 What is the right order to feed the data?
#
# A network learns from a batch at a time. Faces lie in a store as they were collected: site by site, person by
# person. Watch what a plain linear model believes while it reads them four times, sorted by label or shuffled.

# %% demo=true
from sklearn.linear_model import SGDClassifier

data, rng = pixels / 255 - 0.5, np.random.default_rng(0)
orders = {
    "sorted by label": np.argsort(angry, kind="stable"),
    "shuffled": rng.permutation(len(angry)),
}
believed = {}
for name, order in orders.items():
    model = SGDClassifier(
        loss="log_loss", learning_rate="constant", eta0=0.006, random_state=0
    )
    for step, rows in enumerate(np.array_split(order, 40) * 4):
        model.partial_fit(data[rows], angry[rows], classes=[False, True])
        believed[step, name] = model.predict_proba(data)[:, 1].mean()
believed = pd.Series(believed).unstack()

# %% demo=true
last_pass = believed.iloc[-40:]
plots.lines(
    believed.iloc[3::4],
    "batches read, 40 to a pass",
    "mean probability of anger",
    f"Mean probability of anger over four passes; right would be {angry.mean():.2f}. In the last pass: "
    + ", ".join(
        f"{name} between {values.min():.2f} and {values.max():.2f}"
        for name, values in last_pass.items()
    )
    + ".",
)

# %% [markdown]
# The last batches win: sorted by label, every pass ends with a model that sees far too much anger. Shuffling
# once is not enough either: the same batch mates meet in every epoch, a frequent person can fill a batch, and at
# 8 % angry faces many small batches hold none at all. Reading faces in order of
# difficulty (a *curriculum*), on the other hand, gives little in ordinary training (Wu et al. 2021).
#
# **Exercise: batches to a contract.**

# %% answer="order"

# %% check="order"
stage.check("order", batches)

# %% [markdown]
# **What was seen.** "Shuffle" is a contract with several clauses, and each of them can be tested. Spreading the
# few angry faces costs nothing; *repeating* them changes the prior, which has to be undone later (stage 3).

# %% [markdown]
# ## In the interview
#
# > **How to raise it.** "Before models, I would like to talk about the data: who is in it, who labelled it and
# > what the label claims." Then one sentence each: votes per face and why; split by person and time; one slice
# > where I expect trouble.
# >
# > **Say the number.** "One vote has a precision of about 0.56 on FER+" shows more than "labels are noisy".
# >
# > **What to skip.** File formats, annotation tools, the formula of kappa. Order of feeding, unless asked.
# >
# > **The trap.** An interviewer who says "you have a million labelled faces" waits for: labelled by whom, of how
# > many people, from which cameras?

# %% [markdown]
# ## Keep for the next stages
#
# Stage 3 trains on what you decided here: one label per face, and the part each face belongs to. Both come from
# *your* answers, applied to the lobby: without the faults that your data sheet finds, without staff, without
# people who did not consent. The votes are kept beside the label, because stage 3 will ask for them. You find
# both tables in the folder `portfolio` beside this notebook.

# %%
faults = find_faults(faces, images[:, ::2, ::2]) or {}  # empty until you have an answer
faulty = {
    face
    for name in ("near_duplicate", "stuck_camera", "corrupt")
    for face in faults.get(name, [])
}
usable = faces[
    ~faces["face"].isin(faulty) & faces["consent"] & (faces["role"] == "visitor")
]
said = "sound, " if faults else "(not searched for faults yet) "
print(f"{len(usable):,} of {len(faces):,} faces are {said}consented to and not of staff")

# %%
ballots = votes[votes["face"].isin(usable["face"])]
labels = ballots.groupby("face")["vote"].agg(
    votes="size", angry=lambda vote: (vote == "angry").sum()
)
labels["label"] = datasets.majority_label(ballots, labels.index)
portfolio.keep("labels", labels if faults else None)

# %%
parts = split(usable, usable["camera"].value_counts().idxmin())
portfolio.keep("split", parts if parts is None else parts.rename_axis("face"))

# %% [markdown]
# ## Your progress

# %%
stage.progress()
