"""A producer: enqueues jobs, waits for their results, and makes a schedule."""

import json
import os
import time

import grpc
import reseolio_pb2 as pb
import reseolio_pb2_grpc

ADDRESS = os.environ.get("RESEOLIO_ADDR", "127.0.0.1:50051")
SECONDS = 10


class JobFailed(Exception):
    pass


def enqueue(stub, name, *args, key="", **options):
    """Returns the id of the job, which is durable from then on. With a key, a second call returns the same."""
    request = pb.EnqueueRequest(
        name=name, args=json.dumps(args).encode(), idempotency_key=key, options=pb.JobOptions(**options)
    )
    return stub.EnqueueJob(request, timeout=SECONDS).job_id


def wait_for(stub, job_ids):
    """Yields each job's completion, in the order in which they end. Those that have ended already come at once."""
    yield from stub.SubscribeToJobs(iter([pb.SubscribeRequest(job_ids=job_ids)]))


def value_of(completion):
    if completion.status != pb.JOB_STATUS_SUCCESS:
        raise JobFailed(completion.error)
    return json.loads(completion.result) if completion.result else None


def result(stub, job_id):
    return value_of(next(wait_for(stub, [job_id])))


def every_second(stub, name):
    """Makes a schedule, or finds the one that is there."""
    try:
        return stub.CreateSchedule(pb.CreateScheduleRequest(name=name, cron_expression="* * * * * *"), timeout=SECONDS)
    except grpc.RpcError as error:
        if error.code() != grpc.StatusCode.ALREADY_EXISTS:
            raise
        return stub.GetSchedule(pb.GetScheduleRequest(schedule_id=name), timeout=SECONDS)


def first_job_of(stub, name):
    deadline = time.monotonic() + SECONDS
    while time.monotonic() < deadline:
        jobs = stub.ListJobs(pb.ListJobsRequest(names=[name], limit=1), timeout=SECONDS).jobs
        if jobs:
            return jobs[0].id
        time.sleep(0.1)
    raise TimeoutError(f"{name} has no job")


def main():
    with grpc.insecure_channel(ADDRESS) as channel:
        stub = reseolio_pb2_grpc.ReseolioStub(channel)

        job_id = enqueue(stub, "text:count-words", "to be or not to be", key="hamlet")
        again = enqueue(stub, "text:count-words", "to be or not to be", key="hamlet")
        print("result:", result(stub, job_id)["words"], "words; the same job:", again == job_id)

        many = [enqueue(stub, "text:count-words", "word " * n) for n in range(1, 6)]
        print("many:", sum(value_of(completion)["words"] for completion in wait_for(stub, many)), "words")

        job_id = enqueue(stub, "rates:fetch", "EUR", max_attempts=5, backoff="fixed", initial_delay_ms=50)
        print("retried:", result(stub, job_id)["attempts"], "attempts")

        try:
            result(stub, enqueue(stub, "orders:charge", -1))
        except JobFailed as error:
            print("refused:", error)

        schedule = every_second(stub, "clock:tick")
        occurrence = result(stub, first_job_of(stub, "clock:tick"))["occurrence"]
        print("scheduled:", schedule.cron_expression, "is due at whole seconds:", occurrence % 1000 == 0)
        stub.DeleteSchedule(pb.DeleteScheduleRequest(schedule_id=schedule.id), timeout=SECONDS)

        print("from TypeScript:", result(stub, enqueue(stub, "text:shout", "hello"))["text"])


if __name__ == "__main__":
    main()
