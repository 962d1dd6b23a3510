"""Two functions that give tasks to the same lasting workers of dask's, as futures and as a graph: a trace each."""

import dask
from ask import ask
from dask.distributed import Client, LocalCluster

import agentops_otel


@agentops_otel.workflow(name="whole")
def whole(client):
    """Four calls in two processes."""
    futures = client.map(ask, range(2), pure=False)
    return client.gather(futures), dask.compute(*[dask.delayed(ask)(number) for number in range(2)])


if __name__ == "__main__":
    with LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster, Client(cluster) as client:
        print(whole(client), whole(client))
