import re

from .engine import CONSUMER, HUB, OUTSIDE, PRODUCER, Case


class Organization(Case):
    def test_any_account_is_a_member_but_the_outside(self):
        organizations = self.client("organizations", HUB)
        account = organizations.describe_account(AccountId=CONSUMER)["Account"]
        self.assertEqual((CONSUMER, "ACTIVE", "account-111111111111"), tuple(account[k] for k in ("Id", "Status", "Name")))
        self.assertEqual(1, len(account["Paths"]))
        self.assertRegex(account["Paths"][0], r"^o-drawbridge0/r-dbr0/ou-dbr0-research/111111111111/$")
        deep = organizations.describe_account(AccountId=PRODUCER)["Account"]["Paths"][0]
        # The pattern of Path in the service's API model.
        self.assertTrue(
            re.match(r"^(o-[a-z0-9]{10,32}/r-[0-9a-z]{4,32}(/ou-[0-9a-z]{4,32}-[a-z0-9]{8,32})*(/\d{12})*)/", deep), deep
        )
        self.assertEqual(2, deep.count("/ou-"))
        self.fails("AccountNotFoundException", organizations.describe_account, AccountId=OUTSIDE)

    def test_an_account_moves_to_another_unit(self):
        organizations = self.client("organizations", HUB)
        for unit, path in (("data/warehouses", "/ou-dbr0-datawarehouses/"), ("", "/r-dbr0/"), ("research", "/ou-dbr0-research/")):
            self.engine.post(f"/_drawbridge/enter?moved={CONSUMER}&state={unit}")
            self.assertIn(f"{path}{CONSUMER}/", organizations.describe_account(AccountId=CONSUMER)["Account"]["Paths"][0])

    def test_only_the_hub_may_ask(self):
        self.fails("AccessDeniedException", self.client("organizations", CONSUMER).describe_account, AccountId=CONSUMER)
        self.assertEqual(
            "o-drawbridge0", self.client("organizations", CONSUMER).describe_organization()["Organization"]["Id"]
        )
        self.fails("AWSOrganizationsNotInUseException", self.client("organizations", OUTSIDE).describe_organization)

    def test_lists_and_parents(self):
        self.vpc("444444444444", "10.0.0.0/16")
        self.vpc(OUTSIDE, "10.0.0.0/16")
        organizations = self.client("organizations", HUB)
        listed = [one["Id"] for one in organizations.list_accounts()["Accounts"]]
        self.assertEqual([HUB, CONSUMER, PRODUCER, "444444444444"], listed)
        (parent,) = organizations.list_parents(ChildId=PRODUCER)["Parents"]
        unit = organizations.describe_organizational_unit(OrganizationalUnitId=parent["Id"])["OrganizationalUnit"]
        self.assertEqual(("ORGANIZATIONAL_UNIT", "production"), (parent["Type"], unit["Name"]))
        (above,) = organizations.list_parents(ChildId=parent["Id"])["Parents"]
        (root,) = organizations.list_parents(ChildId=above["Id"])["Parents"]
        self.assertEqual(("ROOT", organizations.list_roots()["Roots"][0]["Id"]), (root["Type"], root["Id"]))
        self.assertEqual(
            [PRODUCER], [one["Id"] for one in organizations.list_accounts_for_parent(ParentId=parent["Id"])["Accounts"]]
        )
