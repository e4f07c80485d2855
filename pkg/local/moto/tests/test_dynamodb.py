import json
import threading
import uuid

from .engine import CONSUMER, HUB, Case

TABLE = "drawbridge-ledger"


def row(pk, sk, **more):
    return {"pk": {"S": pk}, "sk": {"S": sk}, **more}


class Ledger(Case):
    def setUp(self):
        super().setUp()
        template = {
            "Resources": {
                "Ledger": {
                    "Type": "AWS::DynamoDB::Table",
                    "DeletionPolicy": "Retain",
                    "Properties": {
                        "TableName": TABLE,
                        "BillingMode": "PAY_PER_REQUEST",
                        "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
                        "AttributeDefinitions": [{"AttributeName": one, "AttributeType": "S"} for one in ("pk", "sk")],
                        "DeletionProtectionEnabled": True,
                        "PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": True, "RecoveryPeriodInDays": 35},
                        "SSESpecification": {"SSEEnabled": False},
                        "TimeToLiveSpecification": {"AttributeName": "expires", "Enabled": True},
                    },
                }
            }
        }
        self.client("cloudformation", HUB).create_stack(StackName="ledger", TemplateBody=json.dumps(template))
        self.ddb = self.client("dynamodb", HUB)

    def put(self, pk, sk, **more):
        self.ddb.put_item(TableName=TABLE, Item=row(pk, sk, **more))

    def read(self, pk, sk):
        item = self.ddb.get_item(TableName=TABLE, Key=row(pk, sk), ConsistentRead=True).get("Item")
        return {key: value for key, value in item.items() if key not in ("pk", "sk")} if item else item

    def update(self, pk, sk, expression, values, condition=None, **more):
        if condition:
            more["ConditionExpression"] = condition
        return self.ddb.update_item(
            TableName=TABLE, Key=row(pk, sk), UpdateExpression=expression, ExpressionAttributeValues=values, **more
        )

    def transact(self, *actions, **more):
        items = [{kind: {"TableName": TABLE, **given}} for kind, given in actions]
        return self.ddb.transact_write_items(TransactItems=items, **more)

    # --- the table ---

    def test_cloudformation_makes_it_as_asked(self):
        table = self.ddb.describe_table(TableName=TABLE)["Table"]
        self.assertTrue(table["DeletionProtectionEnabled"])
        self.assertEqual("PAY_PER_REQUEST", table["BillingModeSummary"]["BillingMode"])
        expiry = self.ddb.describe_time_to_live(TableName=TABLE)["TimeToLiveDescription"]
        self.assertEqual(("ENABLED", "expires"), (expiry["TimeToLiveStatus"], expiry["AttributeName"]))
        recovery = self.ddb.describe_continuous_backups(TableName=TABLE)["ContinuousBackupsDescription"]
        self.assertEqual("ENABLED", recovery["PointInTimeRecoveryDescription"]["PointInTimeRecoveryStatus"])
        self.assertEqual(35, recovery["PointInTimeRecoveryDescription"]["RecoveryPeriodInDays"])
        self.fails("ValidationException", self.ddb.delete_table, TableName=TABLE)

    def test_a_reset_forgets_it(self):
        self.engine.post("/moto-api/reset")
        self.fails("ResourceNotFoundException", self.ddb.get_item, TableName=TABLE, Key=row("a", "b"))

    # --- conditions and sets ---

    def test_a_condition_that_does_not_hold_shows_what_is_there(self):
        self.put("a", "b", state={"S": "leaving"})
        error = self.fails(
            "ConditionalCheckFailedException",
            self.update,
            "a",
            "b",
            "SET s = :x",
            {":x": {"S": "y"}},
            condition="attribute_not_exists(pk)",
            ReturnValuesOnConditionCheckFailure="ALL_OLD",
        )
        self.assertEqual("leaving", error.response["Item"]["state"]["S"])

    def test_a_set_grows_shrinks_and_goes_with_its_last_member(self):
        add, take = "ADD needs :n", "DELETE needs :n"
        self.update("a", "b", add, {":n": {"SS": ["x"]}})
        self.update("a", "b", add, {":n": {"SS": ["x", "y"]}})
        self.assertEqual(["x", "y"], sorted(self.read("a", "b")["needs"]["SS"]))
        self.update("a", "b", take, {":n": {"SS": ["x", "nobody"]}})
        answer = self.update("a", "b", take, {":n": {"SS": ["y"]}}, ReturnValues="ALL_NEW")
        self.assertNotIn("needs", answer["Attributes"])
        self.assertEqual({}, self.read("a", "b"), "an empty set is no attribute")
        self.update("a", "b", take, {":n": {"SS": ["y"]}})  # from nothing is nothing

    def test_conditions_know_members_and_sizes_of_sets(self):
        self.put("a", "b", needs={"SS": ["x", "y"]})
        value = {":v": {"S": "z"}, ":x": {"S": "x"}}
        self.update("a", "b", "SET s = :v", value, condition="contains(needs, :x)")
        self.fails(
            "ConditionalCheckFailedException", self.update, "a", "b", "SET s = :v", {":v": {"S": "z"}}, condition="contains(needs, :v)"
        )
        two = {":n": {"N": "2"}}
        self.update("a", "b", "SET s = :n", two, condition="size(needs) = :n")
        self.fails("ConditionalCheckFailedException", self.update, "a", "b", "SET s = :n", two, condition="size(needs) < :n")
        both = {":x": {"SS": ["y", "x"]}}
        self.ddb.delete_item(
            TableName=TABLE, Key=row("a", "b"), ConditionExpression="needs = :x", ExpressionAttributeValues=both
        )  # sets have no order

    def test_deleting_what_is_not_there_is_no_error_unless_a_condition_says_so(self):
        self.ddb.delete_item(TableName=TABLE, Key=row("a", "b"))
        self.fails(
            "ConditionalCheckFailedException",
            self.ddb.delete_item,
            TableName=TABLE,
            Key=row("a", "b"),
            ConditionExpression="attribute_exists(pk)",
        )

    def test_an_update_of_nothing_makes_it_and_a_failed_one_does_not(self):
        self.fails(
            "ConditionalCheckFailedException", self.update, "a", "b", "SET s = :s", {":s": {"S": "x"}}, condition="attribute_exists(pk)"
        )
        self.assertIsNone(self.read("a", "b"))
        self.update("a", "b", "SET s = :s", {":s": {"S": "x"}})
        self.assertEqual({"s": {"S": "x"}}, self.read("a", "b"))

    def test_a_partition_is_read_in_order_and_in_pages(self):
        for n in (3, 1, 2):
            self.put("place#a", f"{n}")
        self.put("place#b", "9")
        seen, page = [], {}
        while True:
            answer = self.ddb.query(
                TableName=TABLE,
                KeyConditionExpression="pk = :p",
                ExpressionAttributeValues={":p": {"S": "place#a"}},
                ConsistentRead=True,
                Limit=2,
                **page,
            )
            seen += [one["sk"]["S"] for one in answer["Items"]]
            if "LastEvaluatedKey" not in answer:
                break
            page = {"ExclusiveStartKey": answer["LastEvaluatedKey"]}
        self.assertEqual(["1", "2", "3"], seen)
        answer = self.ddb.query(
            TableName=TABLE,
            KeyConditionExpression="pk = :p AND begins_with(sk, :s)",
            ExpressionAttributeValues={":p": {"S": "place#a"}, ":s": {"S": "2"}},
        )
        self.assertEqual(["2"], [one["sk"]["S"] for one in answer["Items"]])

    def test_an_item_has_its_limit(self):
        self.fails("ValidationException", self.put, "a", "b", text={"S": "x" * (400 * 1024 + 10240)})

    # --- transactions ---

    def test_a_transaction_happens_whole_or_not_at_all(self):
        self.put("a", "old", n={"N": "1"})
        self.put("a", "gone")
        error = self.fails(
            "TransactionCanceledException",
            self.transact,
            ("Put", {"Item": row("a", "new")}),
            ("Update", {"Key": row("a", "old"), "UpdateExpression": "ADD n :n", "ExpressionAttributeValues": {":n": {"N": "1"}}}),
            ("Delete", {"Key": row("a", "gone")}),
            (
                "ConditionCheck",
                {
                    "Key": row("a", "absent"),
                    "ConditionExpression": "attribute_exists(pk)",
                    "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
                },
            ),
        )
        codes = [one["Code"] for one in error.response["CancellationReasons"]]
        self.assertEqual(["None", "None", "None", "ConditionalCheckFailed"], codes)
        self.assertEqual((None, {"n": {"N": "1"}}, {}), (self.read("a", "new"), self.read("a", "old"), self.read("a", "gone")))
        self.transact(
            ("Put", {"Item": row("a", "new")}),
            ("Update", {"Key": row("a", "old"), "UpdateExpression": "ADD n :n", "ExpressionAttributeValues": {":n": {"N": "1"}}}),
            ("Delete", {"Key": row("a", "gone")}),
        )
        self.assertEqual(({}, {"n": {"N": "2"}}, None), (self.read("a", "new"), self.read("a", "old"), self.read("a", "gone")))

    def test_a_reason_shows_the_item_if_asked(self):
        self.put("a", "b", state={"S": "leaving"})
        new = {"Item": row("a", "b"), "ConditionExpression": "attribute_not_exists(pk)"}
        error = self.fails("TransactionCanceledException", self.transact, ("Put", {**new, "ReturnValuesOnConditionCheckFailure": "ALL_OLD"}))
        self.assertEqual("leaving", error.response["CancellationReasons"][0]["Item"]["state"]["S"])
        error = self.fails("TransactionCanceledException", self.transact, ("Put", new))
        self.assertNotIn("Item", error.response["CancellationReasons"][0])

    def test_a_cancelled_transaction_leaves_the_writes_of_others(self):
        stop, lost = threading.Event(), []

        def others():
            for n in range(60):
                self.put("others", str(n))
                if self.read("others", str(n)) is None:
                    lost.append(n)
            stop.set()

        thread = threading.Thread(target=others)
        thread.start()
        while not stop.is_set():
            self.fails(
                "TransactionCanceledException",
                self.transact,
                ("Put", {"Item": row("mine", "1")}),
                ("ConditionCheck", {"Key": row("mine", "2"), "ConditionExpression": "attribute_exists(pk)"}),
            )
        thread.join()
        self.assertEqual([], lost)
        self.assertEqual(60, self.ddb.query(TableName=TABLE, KeyConditionExpression="pk = :p", ExpressionAttributeValues={":p": {"S": "others"}})["Count"])

    def test_of_two_at_once_one_takes_the_last_need(self):
        self.put("a", "b", needs={"SS": ["x"]})
        took = []

        def take():
            try:
                self.update("a", "b", "DELETE needs :n", {":n": {"SS": ["x"]}, ":x": {"S": "x"}}, condition="contains(needs, :x)")
                took.append(True)
            except self.ddb.exceptions.ConditionalCheckFailedException:
                took.append(False)

        threads = [threading.Thread(target=take) for _ in range(8)]
        for one in threads:
            one.start()
        for one in threads:
            one.join()
        self.assertEqual((8, 1), (len(took), sum(took)))

    def test_a_token_makes_a_transaction_happen_once(self):
        token = str(uuid.uuid4())
        add = ("Update", {"Key": row("a", "b"), "UpdateExpression": "ADD n :n", "ExpressionAttributeValues": {":n": {"N": "1"}}})
        for _ in range(2):
            self.transact(add, ClientRequestToken=token)
        self.assertEqual({"n": {"N": "1"}}, self.read("a", "b"))
        self.fails("IdempotentParameterMismatchException", self.transact, ("Delete", {"Key": row("a", "b")}), ClientRequestToken=token)
        # One that was cancelled is tried again.
        token, new = str(uuid.uuid4()), ("Put", {"Item": row("a", "b"), "ConditionExpression": "attribute_not_exists(pk)"})
        self.fails("TransactionCanceledException", self.transact, new, ClientRequestToken=token)
        self.ddb.delete_item(TableName=TABLE, Key=row("a", "b"))
        self.transact(new, ClientRequestToken=token)
        self.assertEqual({}, self.read("a", "b"))

    def test_a_transaction_has_its_limits(self):
        delete = [("Delete", {"Key": row("a", str(n))}) for n in range(101)]
        self.transact(*delete[:100])
        self.fails("ValidationException", self.transact, *delete)
        self.fails("ValidationException", self.transact, delete[0], ("Put", {"Item": row("a", "0")}))
        large = [("Put", {"Item": row("a", str(n), text={"S": "x" * 390_000})}) for n in range(11)]
        self.transact(*large[:10])
        self.fails("ValidationException", self.transact, *large)
        self.assertIsNone(self.read("a", "10"))

    def test_what_does_not_fit_the_item_is_a_reason(self):
        self.put("a", "b", needs={"S": "text"})
        add = {"Key": row("a", "b"), "UpdateExpression": "ADD needs :n", "ExpressionAttributeValues": {":n": {"SS": ["x"]}}}
        error = self.fails("TransactionCanceledException", self.transact, ("Put", {"Item": row("a", "c")}), ("Update", add))
        self.assertEqual(["None", "ValidationError"], [one["Code"] for one in error.response["CancellationReasons"]])
        self.assertIsNone(self.read("a", "c"))

    # --- who may ---

    def may(self, *actions):
        iam, role = self.client("iam", HUB), "drawbridge-step"
        trust = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": HUB}}
        iam.create_role(RoleName=role, AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [trust]}))
        allow = {"Effect": "Allow", "Action": list(actions), "Resource": f"arn:aws:dynamodb:*:{HUB}:table/{TABLE}"}
        iam.put_role_policy(RoleName=role, PolicyName="step", PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [allow]}))
        keys = self.client("sts", HUB).assume_role(RoleArn=f"arn:aws:iam::{HUB}:role/{role}", RoleSessionName="run-1")["Credentials"]
        self.ddb = self.client("dynamodb", HUB, keys=keys)

    def test_a_transaction_needs_what_each_of_its_actions_needs(self):
        self.may("dynamodb:PutItem", "dynamodb:GetItem")
        put, check = ("Put", {"Item": row("a", "b")}), {"Key": row("a", "c"), "ConditionExpression": "attribute_not_exists(pk)"}
        self.transact(put)
        for denied in (("Delete", {"Key": row("a", "c")}), ("ConditionCheck", check)):
            self.fails("AccessDeniedException", self.transact, put, denied)
        self.assertEqual({}, self.read("a", "b"))
        self.fails("AccessDeniedException", self.ddb.scan, TableName=TABLE)
        self.fails("AccessDeniedException", self.ddb.put_item, TableName="another", Item=row("a", "b"))
        self.fails("AccessDeniedException", self.update, "a", "b", "SET s = :s", {":s": {"S": "x"}})

    # --- kept with the accounts whose things it speaks of ---

    def test_it_is_kept_and_put_back_with_the_accounts(self):
        self.vpc(CONSUMER, "10.1.0.0/16")
        self.put("a", "b", n={"N": "1"})
        kept = json.loads(self.engine.post(f"/_drawbridge/keep?account={CONSUMER}"))["kept"]
        self.put("a", "b", n={"N": "2"})
        self.put("a", "c")
        self.engine.post("/_drawbridge/restore?kept=" + kept)
        self.assertEqual(({"n": {"N": "1"}}, None), (self.read("a", "b"), self.read("a", "c")))
