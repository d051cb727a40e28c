# Every target sets up what it needs in .venv by itself, and does so again only when pyproject.toml changes.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PACKAGES := core backbone proposals detector api datasets eval cli
# Where the data of "Training on VOC 2007" lies; only the targets below that use it need it.
DATA ?= ../shared/data
RUNS ?= runs
CACHE ?= $(RUNS)/cache
MODE ?= exhaustive
# Images of the benchmark, how many of them are timed, and flags to add (--scaling, --edges, --skip quality ...).
FIRST ?= 500
TIMED ?= 60
BENCH ?=

.PHONY: demo test test-slow lint types check docs docs-check commands pictures lock fuzz clean
.PHONY: train-voc train-voc-twin train-voc-members train-multibox train-voc20 learn-cascade
.PHONY: evaluate-voc evaluate-three evaluate-proposals false-alarms browser-check
.PHONY: bench-accuracy bench-union bench-stages bench-proposals bench-evaluation bench-speed bench-memory bench-faults bench-training
.PHONY: bench-classification bench-crops bench-batch

$(VENV)/.installed: pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "error: Python 3.11 or newer is needed; say make PYTHON=python3.12"; exit 2; }
	@echo 'installing into $(VENV): some minutes and 7 GB, nearly all of it PyTorch'
	$(PYTHON) -m venv $(VENV)
	$(if $(LOCKED),$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r .ci/tools.txt)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[dev]'
	@touch $@

# A photograph that comes with scikit-image: a cat's face from close by.
demo: $(VENV)/.installed
	@photo=$$($(BIN)/python -c "import pathlib, skimage; print(pathlib.Path(skimage.__file__).parent / 'data' / 'chelsea.png')") && \
	$(BIN)/detect --image "$$photo" --draw demo-output --overwrite
	@echo "picture with boxes: demo-output/chelsea.jpg"

# A process for each processor, which numeric libraries would otherwise take for themselves as well.
test: $(VENV)/.installed
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -q -n auto

test-slow: $(VENV)/.installed
	$(BIN)/python -m pytest -q -m slow

lint: $(VENV)/.installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

# mypy reads a built tree, because a folder's name (eval) is not its package's (googlenet_rcnn.eval).
types: $(VENV)/.installed
	rm -rf build/types build/lib
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --target build/types .
	MYPYPATH=build/types $(BIN)/mypy -p googlenet_rcnn

check: lint types test

# The versions and hashes of the tools, for every platform; `make ... LOCKED=1` takes these and no others.
lock: $(VENV)/.installed
	$(BIN)/python -m pip install --quiet --disable-pip-version-check uv
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
		.ci/tools.in --output-file .ci/tools.txt

# The site, in build/site; it reads docstrings from a built tree, as mypy does.
docs: $(VENV)/.installed
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[docs]'
	rm -rf build/types build/lib
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --target build/types .
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet
	@echo "the site: build/site/index.html"

docs-check: docs
	$(BIN)/python benchmarks/report/site_check.py --chromium $(CHROMIUM)

# What the site shows of commands, run anew: docs/commands.md (COMMANDS="detect doctor": these alone), docs/pictures.
commands: $(VENV)/.installed
	$(BIN)/python docs/commands.py $(COMMANDS)

pictures: $(VENV)/.installed
	$(BIN)/python docs/make_pictures.py

$(RUNS)/bvlc.safetensors: $(VENV)/.installed
	@mkdir -p $(RUNS)
	$(BIN)/googlenet-rcnn import-weights $(DATA)/weights/bvlc_googlenet.safetensors --out $@

# Trained on train only: its figures on val are the honest ones.
TWIN ?= benchmarks/accuracy/voc07-twin.safetensors
VOC = --data $(DATA)/VOCdevkit/VOC2007

# The model that ships and its twin, minutes on a GPU; two CPU cores take RECIPE=voc07 and train 5a and up.
RECIPE ?= voc07-gpu
train-voc: $(RUNS)/bvlc.safetensors
	$(BIN)/train-detector $(VOC) --split trainval --init $< --recipe recipes/$(RECIPE).toml \
		--cache $(CACHE) --out $(RUNS)/$(RECIPE)-trainval --resume

train-voc-twin: $(RUNS)/bvlc.safetensors
	$(BIN)/train-detector $(VOC) --split train --init $< --recipe recipes/$(RECIPE).toml \
		$(if $(filter voc07-gpu,$(RECIPE)),--set network.epochs=4.0) --cache $(CACHE) --out $(RUNS)/$(RECIPE)-train --resume

# Two members for an ensemble with the model that ships, or with its twin (SPLIT=train): its upper half trained on with
# more surroundings in each crop, and with none. 40 minutes on two cores, one member on each (make -j2).
SPLIT ?= trainval
train-voc-members: $(RUNS)/member-40-$(SPLIT)/detector.safetensors $(RUNS)/member-0-$(SPLIT)/detector.safetensors

MEMBER = $(BIN)/train-detector $(VOC) --split $* --holdout 0 --init $(if $(filter train,$*),$(TWIN),voc07) \
	--recipe recipes/voc07-member.toml --set network.epochs=$(if $(filter train,$*),1.1,0.55) \
	--cache $(CACHE) --out $(@D) --resume --threads 1
$(RUNS)/member-40-%/detector.safetensors: | $(VENV)/.installed
	$(MEMBER) --set context=40 --set seed=1

$(RUNS)/member-0-%/detector.safetensors: | $(VENV)/.installed
	$(MEMBER) --set context=0 --set seed=2

# The twins of the three that ship together, trained side by side by make -j2.
$(RUNS)/three-train.toml: $(RUNS)/member-40-train/detector.safetensors $(RUNS)/member-0-train/detector.safetensors
	echo 'members = ["$(abspath $(TWIN))", "member-40-train/detector.safetensors", "member-0-train/detector.safetensors"]' > $@

# Whether they are better than the first of them alone.
evaluate-three: $(RUNS)/val$(FIRST).txt $(RUNS)/three-train.toml
	for name in $(TWIN) $(RUNS)/three-train.toml; do \
		$(BIN)/detect --image $< --weights $$name --score-threshold 0.01 --out $(RUNS)/$$(basename $$name)-$(FIRST).jsonl || exit; done
	$(BIN)/evaluate compare $(RUNS)/$(notdir $(TWIN))-$(FIRST).jsonl $(RUNS)/three-train.toml-$(FIRST).jsonl $(VOC) --split val --first $(FIRST)

$(RUNS)/val%.txt: | $(VENV)/.installed
	@mkdir -p $(RUNS)
	head -n $* $(DATA)/VOCdevkit/VOC2007/ImageSets/Main/val.txt | sed 's#.*#$(DATA)/VOCdevkit/VOC2007/JPEGImages/&.jpg#' > $@

evaluate-voc: $(RUNS)/val$(FIRST).txt
	$(BIN)/detect --image $< --weights $(TWIN) --mode $(MODE) --score-threshold 0.01 --out $(RUNS)/val$(FIRST)-$(MODE).jsonl
	$(BIN)/evaluate detections $(VOC) --split val --first $(FIRST) --rule voc07 --bootstrap 1000 \
		--detections $(RUNS)/val$(FIRST)-$(MODE).jsonl --report $(RUNS)/val$(FIRST)-$(MODE)

# What each ingredient is worth, every proposal of the first images of val scored: by the twin, by the twin in a mirror,
# and by the twins of the two other members. Each of the four takes some 7 seconds an image on two cores with VNNI
# and 4 with a matrix unit (AMX), and is kept; the members' twins are trained first (40 minutes of one core each).
ABLATED ?= 100
RUNTIME ?= auto
UNION = $(RUNS)/union-$(ABLATED).npz
SCORES = $(RUNS)/scores-$(ABLATED)
SCORE = $(BIN)/python benchmarks/accuracy/score.py $(VOC) --first $(ABLATED) --proposals $(UNION) --runtime $(RUNTIME) --out $@
$(UNION): $(RUNS)/multibox-train/multibox.safetensors $(RUNS)/val$(ABLATED).txt
	$(BIN)/propose --image $(RUNS)/val$(ABLATED).txt --method multibox+ss --multibox-weights $< --format npz --out $@ --overwrite

$(SCORES).npz: $(UNION)
	$(SCORE) --weights $(TWIN)

$(SCORES)-mirror.npz: $(UNION)
	$(SCORE) --weights $(TWIN) --mirror

$(SCORES)-%.npz: $(RUNS)/member-%-train/detector.safetensors $(UNION)
	$(SCORE) --weights $<

bench-accuracy: $(SCORES).npz $(SCORES)-mirror.npz $(SCORES)-40.npz $(SCORES)-0.npz
	$(BIN)/python benchmarks/accuracy/table.py $< --mirrored $(SCORES)-mirror.npz --models $(SCORES)-40.npz $(SCORES)-0.npz \
		$(VOC) --first $(ABLATED) --proposals $(UNION) --weights $(TWIN) --runtime $(RUNTIME)

# Fast mode with the boxes of both proposers: R-CNN's steps without box regression and with it, what `detect` does by
# default, and that with three models; each compared with the one before.
UNITED = $(foreach name,classes boxes one three,$(RUNS)/united-$(FIRST)-$(name).jsonl)
%-classes.jsonl: FLAGS = --weights $(TWIN) --screen-vote 0 --box-voting 1 --no-box-regression
%-boxes.jsonl: FLAGS = --weights $(TWIN) --screen-vote 0 --box-voting 1
%-one.jsonl: FLAGS = --weights $(TWIN)
%-three.jsonl: FLAGS = --weights $(RUNS)/three-train.toml
$(UNITED): $(RUNS)/multibox-train/multibox.safetensors $(RUNS)/val$(FIRST).txt $(RUNS)/three-train.toml
	$(BIN)/detect --image $(RUNS)/val$(FIRST).txt --method multibox+ss --multibox-weights $< --score-threshold 0.01 $(FLAGS) --out $@

bench-union: $(UNITED)
	for pair in "$(wordlist 1,2,$^)" "$(wordlist 2,3,$^)" "$(wordlist 3,4,$^)"; do \
		$(BIN)/evaluate compare $$pair $(VOC) --split val --first $(FIRST) || exit; done

# What each stage of training on two CPU cores is worth (5a and up on frozen layers, all layers, their mean), beside the
# twin: each of the 200 boxes of MultiBox scored, without a vote of screening.
STAGED = $(BIN)/train-detector $(VOC) --split train --holdout 0 --init $(RUNS)/bvlc.safetensors --recipe recipes/voc07.toml \
	--set screen.train.epochs=0 --cache $(CACHE) --resume
bench-stages: $(RUNS)/bvlc.safetensors $(RUNS)/multibox-train/multibox.safetensors $(RUNS)/val$(FIRST).txt
	$(STAGED) --set network.epochs=0 --out $(RUNS)/stage-frozen
	mkdir -p $(RUNS)/stage-mean
	cp -r $(RUNS)/stage-frozen/head $(RUNS)/stage-mean
	$(STAGED) --out $(RUNS)/stage-mean
	mkdir -p $(RUNS)/stage-last
	$(BIN)/python benchmarks/accuracy/last_state.py $(RUNS)/stage-mean --out $(RUNS)/stage-last/detector.safetensors
	mkdir -p $(RUNS)/stage-twin && cp $(TWIN) $(RUNS)/stage-twin/detector.safetensors
	$(BIN)/propose --image $(RUNS)/val$(FIRST).txt --method multibox --format npz --overwrite \
		--multibox-weights $(RUNS)/multibox-train/multibox.safetensors --out $(RUNS)/multibox-$(FIRST).npz
	for stage in frozen last mean twin; do $(BIN)/detect --image $(RUNS)/val$(FIRST).txt --score-threshold 0.01 \
		--mode exhaustive --screen-vote 0 --method $(RUNS)/multibox-$(FIRST).npz \
		--weights $(RUNS)/stage-$$stage/detector.safetensors \
		--out $(RUNS)/stage-$$stage-$(FIRST).jsonl || exit; done
	for stage in frozen last twin; do $(BIN)/evaluate compare $(RUNS)/stage-$$stage-$(FIRST).jsonl \
		$(RUNS)/stage-mean-$(FIRST).jsonl $(VOC) --split val --first $(FIRST) || exit; done

# How often pictures without any VOC class show one all the same.
false-alarms: $(VENV)/.installed
	$(BIN)/python benchmarks/accuracy/foreign.py --folder $(DATA)/imagenet-sample --out $(RUNS)/false-alarms -- --weights $(TWIN)

# When a model changes: every proposal of 100 images scored (half an hour on two cores), then the cheapest threshold
# and overlap of fast mode that lose less than 0.3 points, written into a copy of the weights.
learn-cascade: $(RUNS)/val100.txt
	$(BIN)/propose --image $< --method ss --superpixel-scale 2 --format npz --out $(RUNS)/ss2-val100.npz --overwrite
	$(BIN)/python benchmarks/accuracy/score.py $(VOC) --first 100 --proposals $(RUNS)/ss2-val100.npz --weights $(TWIN) \
		--runtime $(RUNTIME) --out $(RUNS)/scores100.npz
	$(BIN)/python benchmarks/accuracy/cascade.py $(RUNS)/scores100.npz $(VOC) --first 100 --weights $(TWIN) \
		--proposals $(RUNS)/ss2-val100.npz --tolerance 0.3 --write $(RUNS)/twin-cascade.safetensors

# MultiBox on the trunk of the twin, trained on train only: its figures on val are the honest ones.
$(RUNS)/multibox-train/multibox.safetensors: | $(VENV)/.installed
	$(BIN)/train-multibox --data $(DATA)/VOCdevkit/VOC2007 --split train --trunk $(TWIN) \
		--cache $(CACHE) --out $(RUNS)/multibox-train --resume

# The MultiBox that ships, on the trunk of the detector that ships.
$(RUNS)/multibox-voc07/multibox.safetensors: $(VENV)/.installed
	$(BIN)/train-multibox --data $(DATA)/VOCdevkit/VOC2007 --split trainval --trunk voc07 \
		--cache $(CACHE) --out $(RUNS)/multibox-voc07 --resume

train-multibox: $(RUNS)/multibox-voc07/multibox.safetensors

# METHOD: ss, multibox, multibox+ss or priors; SCALE: of the superpixels.
METHOD ?= multibox+ss
SCALE ?= 2
evaluate-proposals: $(RUNS)/multibox-train/multibox.safetensors $(RUNS)/val$(FIRST).txt
	$(BIN)/propose --image $(RUNS)/val$(FIRST).txt --method $(METHOD) --superpixel-scale $(SCALE) \
		--multibox-weights $< --format npz --out $(RUNS)/$(METHOD)-$(SCALE)-$(FIRST).npz
	$(BIN)/evaluate proposals --data $(DATA)/VOCdevkit/VOC2007 --split val --first $(FIRST) \
		--proposals $(RUNS)/$(METHOD)-$(SCALE)-$(FIRST).npz --report $(RUNS)/$(METHOD)-$(SCALE)-$(FIRST)

# OpenCV with its contrib modules lies in a folder of its own, which only the benchmark looks into.
$(RUNS)/peers/.installed: $(VENV)/.installed
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --upgrade --target $(RUNS)/peers \
		opencv-contrib-python-headless
	@touch $@

bench-proposals: $(RUNS)/peers/.installed
	PYTHONPATH=$(RUNS)/peers $(BIN)/python benchmarks/proposals/run.py --data $(DATA)/VOCdevkit/VOC2007 \
		--first $(FIRST) --timed $(TIMED) --out $(RUNS)/bench-proposals $(BENCH)

# The other evaluators are small and clash with nothing, so they go into the environment itself.
bench-evaluation: $(VENV)/.installed
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[bench]'
	$(BIN)/python benchmarks/evaluation/run.py --out $(RUNS)/bench-evaluation $(BENCH)

# Opens reports and the page of serve in a real browser, which the target gets from Debian's packages if it has the right to.
CHROMIUM ?= chromium
browser-check: $(VENV)/.installed
	@command -v $(CHROMIUM) >/dev/null || { apt-get update -qq && apt-get install -y -qq --no-install-recommends chromium fonts-dejavu-core >/dev/null; }
	$(BIN)/python benchmarks/report/browser_check.py --chromium $(CHROMIUM) --data $(DATA)/VOCdevkit/VOC2007 --first 200 \
		--out $(RUNS)/browser-check
	$(BIN)/python benchmarks/report/browser_check.py --chromium $(CHROMIUM) --out $(RUNS)/browser-check-detect \
		--detect $$(ls -d $(DATA)/VOCdevkit/VOC2007/JPEGImages/*.jpg | head -n 12)
	$(BIN)/python benchmarks/report/serve_check.py --chromium $(CHROMIUM) --out $(RUNS)/browser-check-serve \
		$$($(BIN)/python -c "import pathlib, skimage; print(pathlib.Path(skimage.__file__).parent / 'data' / 'chelsea.png')")

# The objects of VOC as pictures, a folder for each class.
$(RUNS)/voc-crops/.made: $(VENV)/.installed
	$(BIN)/python benchmarks/classification/voc_crops.py --data $(DATA)/VOCdevkit/VOC2007 --splits train val trainval \
		--out $(RUNS)/voc-crops
	$(BIN)/python benchmarks/classification/voc_crops.py --data $(DATA)/VOCdevkit/VOC2007 --longest 128 \
		--out $(RUNS)/voc-crops-small
	@touch $@

# Learned from with more surroundings, so that the crops of training have about the scale of what is measured.
$(RUNS)/voc-crops-wide/.made: $(VENV)/.installed
	$(BIN)/python benchmarks/classification/voc_crops.py --data $(DATA)/VOCdevkit/VOC2007 --splits train --context 40 \
		--out $(RUNS)/voc-crops-wide
	$(BIN)/python benchmarks/classification/voc_crops.py --data $(DATA)/VOCdevkit/VOC2007 --splits val \
		--out $(RUNS)/voc-crops-wide
	@touch $@

# The upper half learns on train, then all layers: of the classifier that ships on trainval, of its twin, whose figures
# on val are the honest ones, on train.
SMALL = $(BIN)/train-classifier --recipe recipes/small_cls.toml --init $< --resume
WHOLE = --set frozen_below= --set train.epochs=2.0 --set train.rate=0.002 --set train.average=0.99
$(RUNS)/voc20-upper/classifier.safetensors: $(RUNS)/bvlc.safetensors $(RUNS)/voc-crops/.made
	$(SMALL) --data $(RUNS)/voc-crops --out $(@D)

$(RUNS)/voc20-twin/classifier.safetensors: $(RUNS)/voc20-upper/classifier.safetensors
	$(SMALL) --data $(RUNS)/voc-crops $(WHOLE) --out $(@D)

$(RUNS)/voc20-wide/classifier.safetensors: $(RUNS)/bvlc.safetensors $(RUNS)/voc-crops-wide/.made
	$(SMALL) --data $(RUNS)/voc-crops-wide --out $(@D)

$(RUNS)/voc20-wide-twin/classifier.safetensors: $(RUNS)/voc20-wide/classifier.safetensors
	$(SMALL) --data $(RUNS)/voc-crops-wide $(WHOLE) --out $(@D)

train-voc20: $(RUNS)/voc20-upper/classifier.safetensors
	$(SMALL) --data $(RUNS)/voc-crops --split trainval $(WHOLE) --out $(RUNS)/voc20

# Figures of the classification page on the objects of VOC: a linear probe, the twin by one and ten crops and by the
# best of ten, what wider crops bring to learning (told as both trainings end); the network from scratch with auxiliary
# heads and without.
bench-classification: $(RUNS)/voc20-twin/classifier.safetensors $(RUNS)/voc20-wide-twin/classifier.safetensors
	$(BIN)/python benchmarks/classification/probe.py --folder $(RUNS)/voc-crops --weights $(RUNS)/bvlc.safetensors
	for crops in 1 10 "10 --max-pool"; do $(BIN)/evaluate classification --data $(RUNS)/voc-crops --split val \
		--weights $< --crops $$crops --report "$(RUNS)/voc20-$$crops" || exit; done
	$(BIN)/python benchmarks/classification/paired.py $(RUNS)/voc20-1 $(RUNS)/voc20-10 "$(RUNS)/voc20-10 --max-pool"
	for epochs in 12 15 24; do $(BIN)/python benchmarks/classification/heads.py --folder $(RUNS)/voc-crops-small \
		--out $(RUNS)/heads --epochs $$epochs || exit; done

# The Caffe model's views of 1,000 images, paired: 144 crops are 144,000 looks.
bench-crops: $(RUNS)/bvlc.safetensors
	for crops in 1 10 144; do $(BIN)/evaluate classification --data $(DATA)/imagenet-sample --weights $< \
		--crops $$crops --report $(RUNS)/bvlc-$$crops || exit; done
	$(BIN)/python benchmarks/classification/paired.py $(RUNS)/bvlc-1 $(RUNS)/bvlc-10 $(RUNS)/bvlc-144

# Figures of the classification page on speed and safety: training beside torchvision's, and ten kills.
bench-training: $(RUNS)/voc-crops/.made $(RUNS)/bvlc.safetensors
	$(BIN)/python benchmarks/training/run.py --folder $(RUNS)/voc-crops/train
	$(BIN)/python benchmarks/training/kills.py --out $(RUNS)/kills
	$(BIN)/python benchmarks/training/processes.py --data $(RUNS)/voc-crops-small --out $(RUNS)/processes -- \
		--init $(RUNS)/bvlc.safetensors --recipe recipes/small_cls.toml --set train.epochs=0.25

# The speed tables of the README, with peers in the same run; PARTS: engines detect naive torchvision growth.
PARTS ?= engines detect naive torchvision growth
bench-speed: $(RUNS)/peers/.installed
	PYTHONPATH=$(RUNS)/peers $(BIN)/python benchmarks/speed/run.py --data $(DATA)/VOCdevkit/VOC2007 \
		--parts $(PARTS) --out $(RUNS)/bench-speed $(BENCH)

# 10,000 images through the command's loop with a stub classifier: does memory grow?
bench-memory: $(VENV)/.installed
	$(BIN)/python benchmarks/speed/memory.py

# 10,000 images, one in twenty hostile: a row and the right code for each, flat memory, nothing left behind.
bench-faults: $(VENV)/.installed
	$(BIN)/python benchmarks/faults/mixed.py

# 2,000 images on Ray, killed twice, compared with one process.
bench-batch: $(VENV)/.installed
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[ray]'
	$(BIN)/python benchmarks/batch/kills.py --out $(RUNS)/bench-batch -- --preset single --superpixel-scale 8 \
		--score-threshold 0.05

# Every parser of files that others make, fed with damaged ones: each returns or raises an error of its own. Led by
# coverage where atheris is to be had (Linux), else by chance.
SECONDS ?= 20
TARGETS ?=
fuzz: $(VENV)/.installed
	-$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[fuzz]'
	$(BIN)/python tests/fuzz/run.py --seconds $(SECONDS) --corpus $(RUNS)/fuzz $(TARGETS)

clean:
	rm -rf build dist *.egg-info demo-output .pytest_cache .mypy_cache .ruff_cache
