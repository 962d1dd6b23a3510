"""Two calls in the workers of ray."""

import ray
from ask import ask

if __name__ == "__main__":
    ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False, configure_logging=False)
    print(ray.get([ray.remote(ask).remote(number) for number in range(2)]))
    ray.shutdown()
