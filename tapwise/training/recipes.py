"""Recipes: all that decides a training run."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from tapwise.config import Config
from tapwise.emulators.virtual.noise import Noise
from tapwise.errors import ConfigError
from tapwise.records import Size, Split


class FarmConfig(Config):
    """Which devices, and how many."""

    backend: Literal["virtual", "in_process", "remote", "avd", "docker", "appium"] = "virtual"
    """virtual: a process each, over ADB; in_process: virtual phones without ADB; remote: phones at `addresses`; avd:
    emulators of the AVD `avd`; docker: containers of `image`; appium: phones behind Appium servers at `addresses`"""
    devices: int = Field(4, gt=0)
    """number of devices"""
    transport: Literal["direct", "binary"] = "direct"
    """direct: our own ADB client; binary: the adb program"""
    read_back: Literal["auto", "on", "off"] = "auto"
    """whether typed text is read from its field and mended where the phone lost characters, at two dumps of the tree
    each time; auto: on but for virtual phones"""
    size: str = Field("540x1200", pattern=r"^\d+x\d+$")
    """width x height of virtual phones, pixels"""
    noise: str = "popups=0.05,ads=0.05,slow_loads=0.05,layout_shifts=1.0"
    """how the virtual phones' world interferes"""
    schedule: Literal["auto", "in_turns", "free"] = "auto"
    """in_turns: devices act in two groups, and a run that goes on collects the very same episodes; free: no device
    waits for another, which gives some times the episodes an hour where steps take unevenly long; auto: in_turns for
    virtual phones, free for others"""
    addresses: tuple[str, ...] = ()
    """host:port of each remote device, or http://host:port#udid for Appium"""
    avd: str = ""
    """name of the AVD that all emulators share, read-only"""
    emulator: str = "emulator"
    """the program that starts emulators: Google's, or tapwise-emulator"""
    snapshot: str = ""
    """the AVD's snapshot that emulators start from; empty: a cold boot"""
    image: str = ""
    """the image that containers run; its ADB listens on port 5555"""
    grpc: bool = False
    """whether emulators serve gRPC, on the port 3000 above their console's: AndroidWorld asks for it, and
    screenshots are taken over it where that is measured to be fastest"""
    grpc_addresses: tuple[str, ...] = ()
    """host:port of each remote emulator's gRPC, for screenshots; "" for a phone that has none"""
    metrics_port: int = Field(0, ge=0, lt=65536)
    """port on loopback at which Prometheus finds /metrics during a run; 0: none"""
    ray: str = ""
    """address of a Ray cluster, on each node of which so many devices run: host:port, "auto" for the one that this
    machine is part of, "local" for one of its own; empty: this machine alone"""
    container_options: tuple[str, ...] = ("--device", "/dev/kvm")
    """further options of `docker run`"""

    @field_validator("noise")
    @classmethod
    def _noise_is_readable(cls, value: str) -> str:
        try:
            Noise.parse(value)
        except ConfigError as error:
            raise ValueError(str(error)) from None
        return value

    @model_validator(mode="after")
    def _remote_has_addresses(self) -> FarmConfig:
        if self.backend in ("remote", "appium") and len(self.addresses) < self.devices:
            raise ValueError(
                f"{self.devices} {self.backend} devices need as many addresses; {len(self.addresses)} are given"
            )
        return self

    @model_validator(mode="after")
    def _grpc_addresses_belong_to_phones(self) -> FarmConfig:
        if self.grpc_addresses and (self.backend != "remote" or len(self.grpc_addresses) != len(self.addresses)):
            raise ValueError('grpc_addresses belong to backend = "remote": give one for each address, or none')
        return self

    @model_validator(mode="after")
    def _avd_is_named(self) -> FarmConfig:
        if (self.backend == "avd") != bool(self.avd):
            raise ValueError('backend = "avd" and avd = "NAME" belong together: give both or none')
        return self

    @model_validator(mode="after")
    def _image_is_named(self) -> FarmConfig:
        if (self.backend == "docker") != bool(self.image):
            raise ValueError('backend = "docker" and image = "NAME" belong together: give both or none')
        return self

    def resolved_schedule(self) -> Literal["in_turns", "free"]:
        """The schedule that "auto" stands for."""
        if self.schedule != "auto":
            return self.schedule
        return "in_turns" if self.backend in ("virtual", "in_process") else "free"

    def reads_back(self) -> bool:
        """What "auto" stands for."""
        return self.read_back == "on" or (self.read_back == "auto" and self.backend not in ("virtual", "in_process"))

    def pixels(self) -> Size:
        """The size as a record."""
        width, height = self.size.split("x")
        return Size(int(height), int(width))


class LoraConfig(Config):
    """Low-rank adaptation of the policy; rank 0 trains all weights of the language model."""

    rank: int = Field(0, ge=0)
    """rank of the adapters"""
    alpha: float = Field(16.0, gt=0)
    """scale of the adapters"""


class PolicyConfig(Config):
    """The policy's model."""

    model: str = ""
    """a folder or a hub name; empty: the small model that ships with the package"""
    device: str = "cpu"
    """torch device"""
    dtype: Literal["float32", "bfloat16"] = "float32"
    """of the weights; optimisers of semi-online and VEM runs keep 32-bit copies of weights in half"""
    temperature: float = Field(1.0, gt=0)
    """of rollouts that are learned from; evaluations are greedy"""
    lora: LoraConfig = LoraConfig()
    """low-rank adaptation"""


class SupervisedConfig(Config):
    """Imitation of a few expert demonstrations."""

    demonstrations: int = Field(1, ge=0)
    """per task template"""
    pointing: int = Field(1, ge=0)
    """questions about each screen of a demonstration: tap something else that stands on it"""
    substitutions: int = Field(3, ge=0)
    """variants of each typing step of a demonstration: other words in the goal, and typed"""
    updates: int = Field(120, ge=0)
    """gradient steps"""
    reminders: float = Field(1.0, ge=0)
    """demonstrated steps, with other words typed or not, that later phases learn beside each step of their own"""


class OfflineConfig(Config):
    """Learning from one batch of rollouts of the supervised policy."""

    episodes: int = Field(400, ge=0)
    """rollouts on training tasks"""
    critic_updates: int = Field(150, ge=0)
    """gradient steps of the value functions"""
    updates: int = Field(150, ge=0)
    """gradient steps of the policy"""
    learning_rate: float = Field(3e-4, gt=0)
    """of the policy in this phase: lower than for demonstrations, since its own steps are few and alike"""


class OnlineConfig(Config):
    """Learning from fresh rollouts."""

    iterations: int = Field(20, ge=0)
    """rounds of collecting and learning"""
    episodes: int = Field(32, gt=0)
    """rollouts a round"""
    critic_updates: int = Field(10, ge=0)
    """gradient steps of the value functions a round"""
    updates: int = Field(15, ge=0)
    """gradient steps of the policy a round"""
    learning_rate: float = Field(3e-4, gt=0)
    """of the policy in this phase: lower than for demonstrations, since its own steps are few and alike"""
    cool_down: float = Field(0.0, ge=0, le=1)
    """share of the rounds, at the end, over which the learning rate falls linearly to zero: what is measured then hangs
    less on the last few updates"""
    staleness: int = Field(0, ge=0, le=1)
    """rounds by which the acting policy may be older than the learning one: with 1, collecting and learning go on side
    by side, and nothing is learned from the last round's rollouts"""


class JudgeConfig(Config):
    """A model behind an OpenAI-compatible endpoint that judges rollouts."""

    url: str = ""
    """the endpoint up to its version, such as http://127.0.0.1:8000/v1; empty: nobody judges"""
    model: str = ""
    """the model's name there"""
    key_env: str = "OPENAI_API_KEY"
    """environment variable that holds the key"""
    frames: str = Field("final", pattern=r"^(final|steps|key:[1-9]\d*)$")
    """screenshots that it is shown: final, steps, or key:K for the last and those where the screen changed most"""
    examples: str = "none"
    """worked examples that it is shown before: none, how many of those of the package, or a folder"""
    concurrency: int = Field(8, gt=0)
    """episodes it is asked about at once"""
    reward: Literal["outcome", "verdict"] = "outcome"
    """what is learned from where the phone can tell whether a task is done: that, or the judge's verdict, as on phones
    that cannot tell; the other of the two is then what the judge is watched with"""

    @model_validator(mode="after")
    def _can_be_asked(self) -> JudgeConfig:
        if bool(self.url) != bool(self.model):
            raise ValueError('url = "http://HOST:PORT/v1" and model = "NAME" belong together: give both or none')
        if self.reward == "verdict" and not self.url:
            raise ValueError('reward = "verdict" needs a judge: give its url and model')
        return self


class EvaluationConfig(Config):
    """How success is measured."""

    episodes: int = Field(96, gt=0)
    """episodes after each phase"""
    split: Split = "test"
    """tasks of which split: choose settings on train, report test"""
    seed: int = 10_007
    """seed of tasks and phones, the same after each phase"""


class BehaviourCloningConfig(Config):
    """Behaviour cloning of everything, success or not: what filtering is to be compared with."""

    type: Literal["bc"] = "bc"
    """the algorithm's name"""
    window: int = Field(1500, gt=0)
    """latest trajectories that are learned from"""


class FilteredBCConfig(Config):
    """Filtered behaviour cloning."""

    type: Literal["filtered_bc"] = "filtered_bc"
    """the algorithm's name"""
    window: int = Field(1500, gt=0)
    """latest trajectories that are learned from"""


class DigiRLConfig(Config):
    """DigiRL, arXiv 2406.11896."""

    type: Literal["digirl"] = "digirl"
    """the algorithm's name"""
    form: Literal["paper", "code"] = "paper"
    """which of the two published forms"""
    window: int = Field(1500, gt=0)
    """latest trajectories that are learned from"""
    offline_fraction: float = Field(0.3, gt=0, le=1)
    """share of trajectories that pass the first filter, offline"""
    online_fraction: float = Field(0.3, gt=0, le=1)
    """the same, online (the released code: 0.1)"""
    decay: float = Field(0.5, ge=0, le=1)
    """lambda of the doubly robust advantage (paper form)"""
    gamma: float = Field(0.5, ge=0, le=1)
    """discount of returns (code form)"""
    advantage: Literal["critic", "vem"] = "critic"
    """whose values of states the step's advantage is made of: the critic's that is trained along, or those of a
    frozen value environment model"""
    vem: str = ""
    """folder of the value environment model; empty: one is trained in the run, on the outcomes of offline rollouts"""
    vem_updates: int = Field(150, gt=0)
    """gradient steps of a value environment model that is trained in the run"""
    vem_samples: int = Field(4, gt=0)
    """actions that the policy samples in a state, whose mean P(good) is the state's value"""

    @model_validator(mode="after")
    def _vem_is_wanted(self) -> DigiRLConfig:
        if self.vem and self.advantage != "vem":
            raise ValueError('vem = "FOLDER" is for advantage = "vem": give both, or leave the folder out')
        return self

    @property
    def trains_vem(self) -> bool:
        """Whether the run trains a value environment model of its own."""
        return self.advantage == "vem" and not self.vem


class OptimizerConfig(Config):
    """AdamW with a constant learning rate after a short warm-up."""

    learning_rate: float = Field(1e-3, gt=0)
    """peak learning rate"""
    warm_up: int = Field(10, ge=0)
    """updates until the peak"""
    weight_decay: float = Field(0.01, ge=0)
    """decoupled weight decay"""
    max_gradient_norm: float = Field(1.0, gt=0)
    """gradients are scaled down to this norm"""


class CriticConfig(Config):
    """How the value functions are trained."""

    batch_size: int = Field(64, gt=0)
    """states a gradient step"""
    optimizer: OptimizerConfig = OptimizerConfig(learning_rate=5e-4)
    """optimizer of both value functions"""


class AndroidWorldConfig(Config):
    """Where AndroidWorld is, for the suite `androidworld`, and which of its instances are played."""

    python: str = ""
    """the Python that it is installed in; empty: this one"""
    path: str = ""
    """a folder that holds its package, such as a checkout, where it is not installed"""
    seed: int = 30
    """of the instances, as AndroidWorld's own runner takes it"""
    combinations: int = Field(1, gt=0)
    """instances of each task"""
    tasks: tuple[str, ...] = ()
    """names of tasks; empty: all"""
    family: str = "android_world"
    """family of tasks, as AndroidWorld's registry calls it"""
    emulator_setup: bool = False
    """install AndroidWorld's apps first, which needs a network"""


class AitwConfig(Config):
    """The lists of instructions of the suites `aitw_general` and `aitw_webshop`, one instruction a line."""

    train: str = ""
    """file of the training list"""
    test: str = ""
    """file of the test list"""


class BaseRecipe(Config):
    """What recipes of all kinds say: the model, the phones, the supervised start, and how success is measured."""

    name: str = "demo"
    """what the run is called"""
    seed: int = 0
    """of everything random in the run"""
    suite: str = "all"
    """task suite: general, shop, office, media or all, with :template or :app behind it to hold whole ones out;
    aitw_general or aitw_webshop, which only a judge can judge; for evaluations also androidworld"""
    threads: int = Field(1, gt=0)
    """torch threads of the learner"""
    farm: FarmConfig = FarmConfig()
    """devices"""
    policy: PolicyConfig = PolicyConfig()
    """the model that learns"""
    supervised: SupervisedConfig = SupervisedConfig()
    """first phase"""
    optimizer: OptimizerConfig = OptimizerConfig()
    """of the policy"""
    batch_size: int = Field(64, gt=0)
    """steps a gradient step of the policy"""
    evaluation: EvaluationConfig = EvaluationConfig()
    """how success is measured"""
    aitw: AitwConfig = AitwConfig()
    """lists of instructions, for the suites of that name"""
    android_world: AndroidWorldConfig = AndroidWorldConfig()
    """where AndroidWorld is, for its suite"""


class DataConfig(Config):
    """Where experts' trajectories come from."""

    store: str = ""
    """a trajectory store, as `tapwise data import` makes them; no phone is needed then. Empty: the scripted expert
    plays on the recipe's phones"""
    demonstrations: int = Field(0, ge=0)
    """per task template, played by the scripted expert beside those of the supervised phase and not imitated there"""
    episodes: int = Field(0, ge=0)
    """of the store that are learned from, drawn by the recipe's seed; 0: all"""
    held_out: float = Field(0.1, gt=0, lt=1)
    """share of the store's instructions that is only measured on, where the store's tasks are all of one split"""


class ExpertRecipe(BaseRecipe):
    """What recipes say that learn from experts' trajectories."""

    data: DataConfig = DataConfig()
    """experts' trajectories"""


AlgorithmConfig = DigiRLConfig | FilteredBCConfig | BehaviourCloningConfig


class Recipe(BaseRecipe):
    """A whole run: supervised start, offline learning, online learning, an evaluation after each."""

    kind: Literal["rl"] = "rl"
    """what the run does"""
    offline: OfflineConfig = OfflineConfig()
    """second phase"""
    online: OnlineConfig = OnlineConfig()
    """third phase"""
    curriculum: bool = False
    """draw training tasks by how open their outcome is, and reminders by how often their template fails, both judged by
    the latest rollouts; otherwise evenly"""
    exploration_pointing: float = Field(0.0, ge=0)
    """pointing questions about the screens of rollouts, from their accessibility trees, beside each step learned from,
    offline and online: an auxiliary task (as in arXiv 1611.05397); the policy itself sees no tree"""
    algorithm: Annotated[AlgorithmConfig, Field(discriminator="type")] = DigiRLConfig()
    """how trajectories become weighted samples"""
    judge: JudgeConfig = JudgeConfig()
    """who says whether rollouts succeeded where the phone cannot, or beside it"""
    critic: CriticConfig = CriticConfig()
    """value functions"""

    @model_validator(mode="after")
    def _vem_samples_alone(self) -> Recipe:
        if isinstance(self.algorithm, DigiRLConfig) and self.algorithm.advantage == "vem" and self.online.staleness:
            raise ValueError(
                'algorithm.advantage = "vem" samples actions while it learns, and online.staleness = 1 while it learns'
                " as well: their random numbers would mix, and a resumed run would end otherwise; set staleness to 0"
            )
        return self

    @model_validator(mode="after")
    def _vem_has_rollouts(self) -> Recipe:
        if isinstance(self.algorithm, DigiRLConfig) and self.algorithm.trains_vem and not self.offline.episodes:
            raise ValueError(
                "algorithm.vem is empty, so that the run trains a value environment model on offline rollouts, but"
                " offline.episodes is 0: give either"
            )
        return self
