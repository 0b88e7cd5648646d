"""The environment: devices and tasks become episodes."""

from tapwise.android_env.checker import Finding, check_env
from tapwise.android_env.env import AndroidEnv, EnvSettings
from tapwise.android_env.episode import EpisodeRunner, run_episode
from tapwise.android_env.expert import ScriptedExpert
from tapwise.android_env.replay import ReplayEnv, ReplaySettings
from tapwise.android_env.replay_episode import ReplayEpisode, Rollout
from tapwise.android_env.replay_reward import paper_step_reward
from tapwise.android_env.screen import Screen
from tapwise.android_env.settle import SettleBudget
from tapwise.android_env.suites import load_suite, suite_names
from tapwise.android_env.tasks import Suite, Template
from tapwise.matching import Match, match_actions

__all__ = [
    "AndroidEnv",
    "EnvSettings",
    "EpisodeRunner",
    "Finding",
    "Match",
    "ReplayEnv",
    "ReplayEpisode",
    "ReplaySettings",
    "Rollout",
    "Screen",
    "ScriptedExpert",
    "SettleBudget",
    "Suite",
    "Template",
    "check_env",
    "load_suite",
    "match_actions",
    "paper_step_reward",
    "run_episode",
    "suite_names",
]
