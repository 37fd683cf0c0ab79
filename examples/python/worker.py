"""A worker: runs jobs of the functions below until it is stopped with SIGTERM or Ctrl-C."""

import json
import os
import queue
import signal
import sys
import threading
import time
import uuid
from concurrent.futures import ThreadPoolExecutor

import grpc
import reseolio_pb2 as pb
import reseolio_pb2_grpc

ADDRESS = os.environ.get("RESEOLIO_ADDR", "127.0.0.1:50051")
CONCURRENCY = 4
RECONNECT_SECONDS = 1
ACK_SECONDS = 10


class NonRetryable(Exception):
    """Ends the job, whatever attempts it has left."""


def count_words(job, text):
    return {"words": len(text.split()), "language": "python"}


def fetch_rate(job, currency):
    if job.attempt < 3:
        raise ConnectionError(f"attempt {job.attempt}: no answer")
    return {"currency": currency, "attempts": job.attempt}


def charge(job, cents):
    if cents <= 0:
        raise NonRetryable(f"cannot charge {cents} cents")
    return {"charged": cents}


def tick(job):
    return {"occurrence": job.occurrence_at}


# Jobs run at least once: what a function does has to bear being done again. job.id is a key for that.
FUNCTIONS = {
    "text:count-words": count_words,
    "rates:fetch": fetch_rate,
    "orders:charge": charge,
    "clock:tick": tick,
}


class Worker:
    def __init__(self, stub):
        self.stub = stub
        self.stopping = threading.Event()
        self.pool = ThreadPoolExecutor(CONCURRENCY)

    def run(self):
        """Returns once it is stopped and all that it had in hand has been answered."""
        while not self.stopping.is_set():
            try:
                self.serve_stream()
            except grpc.RpcError as error:
                if error.code() in (grpc.StatusCode.UNAUTHENTICATED, grpc.StatusCode.INVALID_ARGUMENT):
                    raise
                print(f"the stream ended: {error.code().name}", file=sys.stderr, flush=True)
                self.stopping.wait(RECONNECT_SECONDS)
        self.pool.shutdown()

    def serve_stream(self):
        # An id for each stream: an answer that comes late, after a new stream got the same attempt, is then told apart.
        worker_id = f"python:{uuid.uuid4()}"
        requests = queue.SimpleQueue()
        names = list(FUNCTIONS)
        requests.put(pb.PollRequest(worker_id=worker_id, names=names, concurrency=CONCURRENCY))
        running = set()
        closed = threading.Event()

        def drain():
            while not self.stopping.wait(0.1):
                if closed.is_set():
                    return
            requests.put(pb.PollRequest(worker_id=worker_id, names=names, concurrency=0))  # no more jobs
            while running and not closed.is_set():
                time.sleep(0.05)
            closed.set()
            requests.put(None)  # ends the stream; a job that is on its way goes back to pending

        def run(job):
            self.run_job(job, worker_id)
            running.discard(job.id)

        threading.Thread(target=drain, daemon=True).start()
        try:
            # The requests end when they give None; until then the stream stays open.
            for job in self.stub.PollJobs(iter(requests.get, None)):
                if not closed.is_set():
                    running.add(job.id)
                    self.pool.submit(run, job)
        finally:
            closed.set()
            requests.put(None)

    def run_job(self, job, worker_id):
        print(f"{job.name} attempt {job.attempt}", flush=True)
        try:
            value = FUNCTIONS[job.name](job, *json.loads(job.args))
            result = pb.AckResult(success=True, return_value=json.dumps(value, allow_nan=False).encode())
        except NonRetryable as error:
            result = pb.AckResult(error=str(error), should_retry=False)
        except Exception as error:
            result = pb.AckResult(error=f"{type(error).__name__}: {error}", should_retry=True)
        self.acknowledge(pb.AckRequest(job_id=job.id, attempt=job.attempt, result=result, worker_id=worker_id))

    def acknowledge(self, request):
        """Can be repeated: the second one gets the answer of the first."""
        for _ in range(5):
            try:
                self.stub.AckJob(request, timeout=ACK_SECONDS)
                return
            except grpc.RpcError as error:
                print(f"{request.job_id} was not acknowledged: {error.details()}", file=sys.stderr, flush=True)
                if error.code() == grpc.StatusCode.FAILED_PRECONDITION:
                    return  # too late: the job is in other hands
                if error.code() == grpc.StatusCode.INVALID_ARGUMENT:
                    request.result.CopyFrom(pb.AckResult(error=error.details()))  # a result that cannot be stored
                else:
                    time.sleep(RECONNECT_SECONDS)


def main():
    with grpc.insecure_channel(ADDRESS, options=[("grpc.keepalive_time_ms", 10_000)]) as channel:
        worker = Worker(reseolio_pb2_grpc.ReseolioStub(channel))
        for stop_signal in (signal.SIGTERM, signal.SIGINT):
            signal.signal(stop_signal, lambda *_: worker.stopping.set())
        worker.run()
    print("stopped", flush=True)


if __name__ == "__main__":
    main()
