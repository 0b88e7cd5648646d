import hashlib
import random


def create_suite(task_registry, n_task_combinations=1, seed=None, tasks=None, use_identical_params=False, env=None):
    print("creating the suite")  # AndroidWorld prints a lot
    suite = {}
    for name, kind in sorted(task_registry.items()):
        if tasks is not None and name not in tasks:
            continue
        suite[name] = []
        for number in range(n_task_combinations):
            instance_seed = int(hashlib.sha256(f"{seed}_{name}_{number}".encode()).hexdigest(), 16) % 2**32
            random.seed(instance_seed)
            suite[name].append(kind({**kind.generate_random_params(), "seed": instance_seed}))
    return suite
