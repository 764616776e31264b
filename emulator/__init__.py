"""The whole system on one machine, 127.0.0.1 only: SMTP in, Maildir out.

receiving   SES's mail server: SMTP, verdicts, SES's own headers, the receipt rules
template    reads template.yaml: what runs here is what deploys
cloud       moto's server as S3, DynamoDB and SQS, with the template's bucket, tables, queues
function    Lambda: the real handler in a process of its own, asynchronous, retried
sending     SES's SendEmail, answering below boto3, refusing what SES refuses; Maildirs
system      puts them together
local, demo what `make local` and `make demo` run
"""
