from android_world import tasks


class TaskRegistry:
    def get_registry(self, family):
        if family != "android_world":
            raise ValueError(f"no family {family}")
        return {task.__name__: task for task in (tasks.TurnWifiOff, tasks.CountFiles, tasks.Breaks)}
