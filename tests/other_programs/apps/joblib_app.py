"""Three calls in two processes of loky's."""

from ask import ask
from joblib import Parallel, delayed

if __name__ == "__main__":
    print(Parallel(n_jobs=2)(delayed(ask)(number) for number in range(3)))
