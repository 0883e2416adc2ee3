"""The README's example with a generated client: upload, submit, follow, download.
usage: example.py URL KEY IMAGE VIDEO"""

import json
import shutil
import sys
import time

import pytoon_client as pytoon

url, key, image, video = sys.argv[1:]
configuration = pytoon.Configuration(host=url, api_key={"X-API-Key": key})
client = pytoon.ApiClient(configuration)
assets, jobs = pytoon.AssetsApi(client), pytoon.JobsApi(client)


def request(seconds, uris):
    return pytoon.JobRequest(
        preset_id="product_hero_clean", image_uris=uris, target_duration_seconds=seconds,
        captions=pytoon.Captions(hook="Slow mornings", cta="Order yours"))


def finished(job_id):
    while True:
        job = jobs.get_job(job_id)
        if job.status == pytoon.JobStatus.DONE:
            return job
        if job.status in (pytoon.JobStatus.FAILED, pytoon.JobStatus.CANCELLED):
            raise RuntimeError(job.error or job.status)
        time.sleep(0.2)


uri = assets.upload_asset(image, "image").uri
# This generator gives an operation one type of answer, and that of createJob is a dry run's.
answer = jobs.create_job(request(1, [uri]), idempotency_key="first", _preload_content=False)
submitted = client.deserialize(answer, "Submitted")
job = finished(submitted.job_id)
shutil.move(jobs.get_output(job.job_id), video)

try:
    pytoon.JobRequest(preset_id="product_hero_clean", target_duration_seconds=99)
except ValueError as refused:  # by the schema, before anything was sent
    print("client:", "target_duration_seconds" in str(refused))
try:
    jobs.create_job(request(1, ["storage://assets/none.png"]))
except pytoon.ApiException as refused:
    print("server:", refused.status, json.loads(refused.body)["errors"][0]["pointer"])
