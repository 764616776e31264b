"""The whole system on one machine, 127.0.0.1 only: SMTP in, Maildir out.

receiving   SES's mail server: SMTP, verdicts, SES's own headers, the receipt rules
template    reads template.yaml, so that what runs here is what deploys
cloud       moto's server as S3, DynamoDB and SQS, with the template's bucket, tables, queues
function    Lambda: the real handler in its own process, asynchronous, with retries
sending     SES's SendEmail as an HTTP server for boto3, with SES's refusals; Maildirs
system      puts them together
local, demo what `make local` and `make demo` run
"""
