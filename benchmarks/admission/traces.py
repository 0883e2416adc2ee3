"""Makes the worlds that the simulator plays: arrivals, cards, neighbours and misfortune, by seed.

Usage: traces.py --seed N [--gpus 8] [--load 0.8] [--seconds 7200] [--lying 0.15] [--dynamic 0.25]
                 [--foreign 0.35] [--preferred 0.55] [--cards 24,24,48] [--shares a,b,c,d,e]
                 [--segments 1]
One JSON object a line on standard output; the format is in README.md. Equal arguments make equal
traces. Nothing here was measured on a card: the shapes of models are those that their makers
publish, the distributions are ours.
"""

import argparse
import json
import math
import random

# name, weights, sampling set, decode set (GiB), run, load (s), share of jobs, API price, latency
MODELS = [("img", 7, 1.5, 2.5, 8, 10, .36, .04, 12), ("ltx", 8, 1.2, 4.5, 25, 10, .28, .10, 40),
          ("wan5", 11, 4.5, 8, 75, 14, .22, .25, 80), ("wan14", 17, 9, 5.5, 140, 22, .10, .45, 120),
          ("hun", 20, 9, 18, 200, 28, .04, .60, 150)]
WORKFLOWS_A_MODEL = 4
GENERATIONS = ((0, .35), (1, .40), (2, .17), (3, .08))  # of a job: how many, how often
DAY_SWING, BURST_SHARE, BURST_SECONDS, SECONDS_A_BURST = .2, .15, 30, 1800
FLEET = (24., 24., 24., 24., 48., 48., 80., 80.)


def emit(label, **fields):
    print(json.dumps({label: {key: round(value, 6) if isinstance(value, float) else value
                              for key, value in fields.items()}}))


def make_workflows(rng, lying):
    """(model index, bias of the file's word, spread of runs, seconds) of each."""
    made = []
    for index, model in enumerate(MODELS):
        for _ in range(WORKFLOWS_A_MODEL):
            lies = rng.random() < lying
            bias = math.exp(rng.gauss(0, .15)) * (rng.uniform(1.5, 1.9) if lies else 1.0)
            made.append((index, bias, rng.uniform(.02, .10), model[4] * rng.uniform(.7, 1.3)))
    return made


def arrival_rate(options, shares, workflows):
    """Jobs a second that give the wished load: generation seconds a second and card."""
    seconds = 0.0
    for index, share in enumerate(shares):
        runs = [w[3] for w in workflows if w[0] == index]
        seconds += share * sum(runs) / len(runs)
    mean = sum(count * often for count, often in GENERATIONS)
    return options.load * options.gpus / (mean * seconds / sum(shares))


def arrival_times(rng, rate, horizon):
    """A daily swing by thinning, and bursts of half a minute."""
    bursts = [rng.uniform(0, horizon)
              for _ in range(max(1, int(horizon / SECONDS_A_BURST)))]
    times, now = [], 0.0
    while True:
        now += rng.expovariate(rate * (1 - BURST_SHARE) * (1 + DAY_SWING))
        if now > horizon:
            break
        swing = 1 + DAY_SWING * math.sin(2 * math.pi * now / horizon)
        if rng.random() < swing / (1 + DAY_SWING):
            times.append(now)
    each = rate * horizon * BURST_SHARE / len(bursts)
    for burst in bursts:
        times += [min(horizon, burst + rng.uniform(0, BURST_SECONDS))
                  for _ in range(int(each + rng.random()))]
    return sorted(times)


def emit_job(rng, at, options, shares, workflows):
    count = rng.choices([n for n, _ in GENERATIONS], [often for _, often in GENERATIONS])[0]

    def pick():
        model = rng.choices(range(len(MODELS)), shares)[0]
        return rng.choice([i for i, w in enumerate(workflows) if w[0] == model])

    usual, generations = pick(), []
    for _ in range(count):
        chosen = pick() if rng.random() > .7 else usual
        _, bias, spread, run = workflows[chosen]
        generations.append({"workflow": chosen,
                            "scale": round(bias * math.exp(rng.gauss(0, spread)), 6),
                            "run_s": round(run * math.exp(rng.gauss(0, .08)), 3)})
    size = rng.uniform(.05, .6)
    segments = [{"gib": round(size, 4), "run_s": round(rng.uniform(2, 8), 3)}
                for _ in range(int(rng.randint(5, 20) * options.segments))]
    emit("job", at_s=at, priority=1 if rng.random() < .2 else 0,
         local_preferred=rng.random() < options.preferred, generations=generations,
         segments=segments)


def emit_events(rng, gpu, total, options):
    if rng.random() < options.foreign:
        now = 0.0
        while now < options.seconds:
            now += rng.expovariate(1 / 600)
            size, end = rng.uniform(.3, .16 * total), now + rng.expovariate(1 / 200)
            for step in range(3):
                emit("event", at_s=now + step * rng.uniform(.1, 3), kind="foreign", gpu=gpu,
                     value=size / 3)
            emit("event", at_s=end + 9, kind="foreign", gpu=gpu, value=-size)
            now = end + 9
    for kind, mean in (("restart", 14400), ("death", 14400), ("stall", 3600)):
        now = rng.expovariate(1 / mean)
        while now < options.seconds:
            emit("event", at_s=now, kind=kind, gpu=gpu, value=rng.uniform(1, 6))
            now += rng.expovariate(1 / mean)


def parse():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--gpus", type=int, default=8)
    parser.add_argument("--load", type=float, default=.8)
    parser.add_argument("--seconds", type=float, default=7200)
    parser.add_argument("--lying", type=float, default=.15)
    parser.add_argument("--dynamic", type=float, default=.25)
    parser.add_argument("--foreign", type=float, default=.35)
    parser.add_argument("--preferred", type=float, default=.55)
    parser.add_argument("--segments", type=float, default=1)
    parser.add_argument("--cards", default="")
    parser.add_argument("--shares", default="")
    return parser.parse_args()


def main():
    options = parse()
    rng = random.Random(options.seed * 7919 + options.gpus)
    cards = [float(c) for c in options.cards.split(",") if c] or (
        (48.,) if options.gpus == 1 else FLEET)
    shares = [float(s) for s in options.shares.split(",") if s] or [m[6] for m in MODELS]
    emit("trace", seed=options.seed, load=options.load, seconds=options.seconds)
    totals = [cards[i % len(cards)] for i in range(options.gpus)]
    for total in totals:
        emit("gpu", total_gib=total, dynamic=rng.random() < options.dynamic)
    for name, weights, working, decode, run, load, _, price, latency in MODELS:
        emit("model", name=name, weights_gib=weights, sampling_gib=working, decode_gib=decode,
             run_s=run, load_s=load, api_usd=price, api_latency_s=latency)
    workflows = make_workflows(rng, options.lying)
    for model, _, _, run in workflows:
        emit("workflow", model=model, run_s=run)
    rate = arrival_rate(options, shares, workflows)
    for at in arrival_times(rng, rate, options.seconds):
        emit_job(rng, at, options, shares, workflows)
    for gpu, total in enumerate(totals):
        emit_events(rng, gpu, total, options)


if __name__ == "__main__":
    main()
