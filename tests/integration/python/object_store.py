"""An S3-compatible object store on loopback, until stdin ends. Prints its port, then answers commands, one a line:

    bucket NAME          create a bucket
    versions NAME        keep versions in it
    lock NAME            create a bucket with Object Lock and a default retention
    overwrite NAME KEY   put other content in the place of an object
    remove NAME KEY      remove an object
"""

import logging
import sys
import threading

import boto3
from moto.moto_server.threaded_moto_server import ThreadedMotoServer
from moto.s3.responses import S3Response

logging.getLogger("werkzeug").setLevel(logging.ERROR)


def one_at_a_time(put, lock=threading.Lock()):
    """S3 compares `If-None-Match` and stores in one step; moto does one after the other."""

    def locked(*args, **kwargs):
        with lock:
            return put(*args, **kwargs)

    return locked


S3Response.put_object = one_at_a_time(S3Response.put_object)
server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
server.start()
port = server.get_host_and_port()[1]
s3 = boto3.client(
    "s3",
    endpoint_url=f"http://127.0.0.1:{port}",
    region_name="us-east-1",
    aws_access_key_id="test",
    aws_secret_access_key="test",
)
print(port, flush=True)
for line in sys.stdin:
    command, bucket, *rest = line.split()
    if command == "bucket":
        s3.create_bucket(Bucket=bucket)
    elif command == "versions":
        s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    elif command == "lock":
        s3.create_bucket(Bucket=bucket, ObjectLockEnabledForBucket=True)
        s3.put_object_lock_configuration(
            Bucket=bucket,
            ObjectLockConfiguration={
                "ObjectLockEnabled": "Enabled",
                "Rule": {"DefaultRetention": {"Mode": "COMPLIANCE", "Days": 1}},
            },
        )
    elif command == "overwrite":
        s3.put_object(Bucket=bucket, Key=rest[0], Body=b"other", ChecksumAlgorithm="SHA256")
    elif command == "remove":
        s3.delete_object(Bucket=bucket, Key=rest[0])
    print("ok", flush=True)
server.stop()
