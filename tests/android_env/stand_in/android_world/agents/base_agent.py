import abc
import dataclasses
from typing import Any


@dataclasses.dataclass()
class AgentInteractionResult:
    done: bool
    data: dict[str, Any]


class EnvironmentInteractingAgent(abc.ABC):
    def __init__(self, env, name="", transition_pause=1.0):
        self._env = env
        self._name = name
        self._transition_pause = transition_pause

    @property
    def env(self):
        return self._env

    @property
    def name(self):
        return self._name

    def reset(self, go_home=False):
        self.env.reset(go_home=go_home)

    @abc.abstractmethod
    def step(self, goal): ...
